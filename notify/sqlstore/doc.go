// Package sqlstore is the truth of Onmyway in SQL, over PostgreSQL or SQLite: what Intake stores in step 5 of the path,
// what dispatchers and Sweep do with messages, and what staff ask.
//
// Every statement is written once. Rows enter it as a table "given" that each engine feeds in its own way: PostgreSQL
// takes a whole batch as arrays, SQLite inserts lists of 50 rows and updates one row at a time. Every UPDATE of a message
// names the states that it may leave and the process that has the message, so that a process that was declared dead by
// mistake can change nothing. What runs with nearly every batch is prepared for SQLite, see statements.
//
// A list of messages is read page by page from an index that ends with the id, whatever is asked for, see list. The audit is
// written last in each transaction, under a lock on its head, so that its rows have numbers without gaps, see record.
//
// A number that answered STOP is asked for in the statement that begins a text; Stop first commits the stop and then waits
// for the rows that began before, see silence. What a provider says of a text moves its row under a lock, see standing; what
// it says of a text that is not stored is parked, and nothing begins that has a parked report.
//
// Old rows leave by ranges of the primary key, a few at a time, see Forget.
//
// Texts whose number had enough in the last hour belong to nobody who lives, so no process claims them: see holdBack for how they
// get there, and Digest for how they leave.
//
// A process proves that it lives by a lock that falls with it: a session lock in PostgreSQL, a file lock beside the
// SQLite file. Where the answer of a COMMIT is lost, the store remembers what it may have written until the caller has
// tried again, see unsure.
package sqlstore
