// Package bench measures how fast Onmyway is, each figure against a baseline on the same machine in the same run.
//
// A machine has moods: its neighbours, its heat. So no figure stands alone. Rounds of the product and of its baseline take
// turns, the medians of both make a ratio, and the spread over the rounds is shown beside it. A round counts only when
// what the receivers got is right: nothing lost, nothing doubled, nothing in a wrong order.
//
//	figures.go  the table: every figure with its unit, goal and baseline
//	trial.go    runs rounds and judges
//	process.go  everything that is measured, or that loads the machine, is a process of its own: parts (this program again,
//	            see part.go) and the product, which is "onmyway serve" as an operator runs it
//	store.go …  one file for each trial; baselines are plain: what one writes with the bare library
//	page.go     the results as a document and a plot
package bench
