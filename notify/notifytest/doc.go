// Package notifytest holds twins in memory of the interfaces that the core calls, and for each of those interfaces a suite
// that any implementation has to pass. Tests of the core run on the twins; tests of the adapters run the same suites over
// the real thing, so that what a twin does is what a database does.
package notifytest
