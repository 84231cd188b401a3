// Package mapping turns raw records into events: step 1, Decode, of the path in package notify. It knows the canonical
// event as plain JSON and inside a CloudEvent, and answers what can never be understood with everything that is wrong
// with it.
//
// A record is read twice. The first pass (scan.go) holds it against the JSON grammar and against what would hurt later:
// names that come twice, text that no database takes, depth without end. The second (decode.go and the files by field)
// takes from the then trustworthy bytes what an event is made of.
package mapping
