// Package ledger holds what the fault-injection harness knows from outside: files to which the producers, the simulated
// providers and the pages of customers append each thing that they wrote, accepted or saw, and the judgement over them.
//
//	producer ─► inputs.jsonl ┐
//	provider ─► sms.jsonl    ├─► Once, Latest, Order, Stops ─► Verdict
//	pages    ─► live.jsonl   ┘
//
// It imports the standard library only: what judges the service must share no line with it, or both could be wrong in
// the same way.
package ledger
