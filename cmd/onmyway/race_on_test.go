//go:build race

package main

// slower divides the number of events of the longest tests: SQLite, which is Go here, is some ten times slower under the
// race detector.
const slower = 4
