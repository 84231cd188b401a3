package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"onmyway/cmd/onmyway/bench"
)

func benchCommand() *cobra.Command {
	o := bench.Options{}
	var peers []string
	var folder string
	var output *format
	cmd := &cobra.Command{
		Use:   "bench [FIGURE...]",
		Short: "Measure how fast it is here, against plain baselines",
		Long: `Measure how fast it is here, against plain baselines.

Rounds of the service and of what it is compared with take turns, so that both meet the same moods of the machine. What is
shown are medians, their ratio and how far the rounds lie apart. In every round the receivers' side is checked: a round in
which something is lost or doubled has no figure. The exit code is 0 only if every figure reaches its goal.

All of it takes about half an hour on two cores, which should have nothing else to do. Figures about real servers
need their addresses; what is not there is skipped, and named. The figures are:
  ` + strings.Join(bench.Names(), ", "),
		Example: `  onmyway bench
  onmyway bench store live p50 p99 -o json
  onmyway bench --quick
  onmyway bench --write docs --kafka 127.0.0.1:9092 --redis redis://127.0.0.1:6379 --database postgres://localhost/postgres`,
		ValidArgs: bench.Names(),
		RunE: func(cmd *cobra.Command, args []string) error {
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			o.Names, o.Command = args, binary
			o.Err, o.Bar = cmd.ErrOrStderr(), terminal(cmd.ErrOrStderr()) && os.Getenv("TERM") != "dumb"
			if o.Peers, err = readPeers(peers); err != nil {
				return err
			}
			if o.Rounds < 1 {
				return usageError{errors.New("--rounds must be 1 or more")}
			}
			if o.Quick && !cmd.Flags().Changed("rounds") {
				o.Rounds = 1
			}
			return runBench(cmd, o, *output, folder)
		},
	}
	fs := cmd.Flags()
	output = outputFlag(fs)
	fs.IntVar(&o.Rounds, "rounds", 5, "how often each figure is measured")
	fs.BoolVar(&o.Quick, "quick", false, "one small round of each and no verdict: to see that everything works")
	fs.StringVar(&folder, "write", "", "folder that gets performance.md and performance.svg")
	fs.StringVar(&o.Kafka, "kafka", os.Getenv("ONMYWAY_TEST_KAFKA"), "real brokers, host:port")
	fs.StringVar(&o.Redis, "redis", os.Getenv("ONMYWAY_TEST_REDIS"), "a real Redis, redis://host:port")
	fs.StringVar(&o.Database, "database", os.Getenv("ONMYWAY_TEST_POSTGRES"), "a real PostgreSQL where databases may be made, postgres://…")
	fs.StringArrayVar(&peers, "peer", nil, "a program to compare with, NAME=PATH; see the document of the results")
	cmd.AddCommand(&cobra.Command{
		Use: bench.Part + " NAME", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return bench.RunPart(cmd.Context(), args[0], os.Stdin, os.Stdout)
		},
	})
	return cmd
}

// runBench measures, prints and judges.
func runBench(cmd *cobra.Command, o bench.Options, f format, folder string) error {
	if folder != "" { // before it takes its time
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("make the folder of --write: %w", err)
		}
	}
	rep, err := bench.Run(cmd.Context(), o)
	switch {
	case errors.Is(err, bench.ErrNoFigure):
		return usageError{err}
	case rep == nil:
		return err
	}
	incomplete := err // what was measured is shown all the same
	if f == asJSON {
		err = printJSON(cmd.OutOrStdout(), rep.Results)
	} else {
		err = printTable(cmd.OutOrStdout(), rep.Table())
	}
	if err != nil || incomplete != nil {
		return errors.Join(err, incomplete)
	}
	if folder != "" {
		if err := rep.Write(folder); err != nil {
			return err
		}
	}
	if missed := rep.Missed(); len(missed) > 0 {
		return fmt.Errorf("%d of %d figures miss their goal: %s", len(missed), len(rep.Results), strings.Join(missed, ", "))
	}
	return nil
}

func readPeers(list []string) (map[string]string, error) {
	peers := map[string]string{}
	for _, p := range list {
		name, at, ok := strings.Cut(p, "=")
		if !ok || name == "" || at == "" {
			return nil, usageError{fmt.Errorf("--peer %q: write NAME=PATH", p)}
		}
		peers[name] = at
	}
	return peers, nil
}
