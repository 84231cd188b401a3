// Package architecture holds the rules of the tree as a test: who may import whom, and what nobody may call.
package architecture
