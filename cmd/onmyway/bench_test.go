package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
)

// A figure of the real program, by its own command line.
func TestBench(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: nothing is measured")
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(programs(t), asName), "bench", "start", "--quick", "-o", "json")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var results []struct {
		Name  string
		Value float64
		Pass  *bool
	}
	if err := json.Unmarshal(out, &results); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if len(results) != 1 || results[0].Name != "start" || results[0].Value <= 0 || results[0].Pass != nil {
		t.Errorf("results %+v, want one value without a verdict", results)
	}
}

func TestBenchIsMisused(t *testing.T) {
	for name, args := range map[string][]string{
		"unknown figure": {"bench", "sped"}, "no rounds": {"bench", "--rounds", "0"}, "peer without a path": {"bench", "--peer", "x"},
	} {
		t.Run(name, func(t *testing.T) { invoke(t, nil, "", args...).want(t, 2) })
	}
}
