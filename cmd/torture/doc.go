// Command torture tries to break the promises of the service. It starts real `onmyway serve` processes between simulated
// providers, kills them, stops them, takes their engines away, and then asks those who received:
//
//	load ─► Kafka ─► onmyway × n ─► provider, push service, pages ─► ledgers
//	  │                 ▲                                               │
//	  └─► inputs    kill, stop, flush, cut                              ▼
//	        └──────────────────────────────────────────────────► ledger.Verdict
//
// The judgement in package ledger reads only what was put in and what came out. The harness speaks to the service as any
// client does, over REST, sockets and hooks, and imports none of its logic: not the core, not the store.
//
// A scenario draws its faults from a seed, so that what failed can be run again. It fails too when the rare path for which
// it is there was never reached: a green run must mean something. Whether it does, the negative controls tell: builds
// that are broken on purpose, each of which must turn its scenario red.
package main
