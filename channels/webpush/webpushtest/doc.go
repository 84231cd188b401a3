// Package webpushtest is a push service and its browsers in one process. It is as strict as the strictest of the real
// ones: it checks the VAPID token (RFC 8292), the headers of RFC 8030 and the encryption of RFC 8291, and then decrypts,
// so a test compares what a browser would show with what was sent.
//
// It shares no code with package webpush. Every accepted notification is in its ledger before the sender has the
// answer: who wants to know what was really delivered reads the ledger, not the sender's own books.
package webpushtest
