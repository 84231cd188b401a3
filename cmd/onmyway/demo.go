package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"onmyway/cmd/onmyway/demo"
)

func demoCommand() *cobra.Command {
	o := demo.Options{Out: os.Stdout, Err: os.Stderr}
	var once bool
	var output *format
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: orders, a service and the phones of their buyers, on this machine",
		Long: `See it work: orders, a service and the phones of their buyers, on this machine.

Nothing has to be installed and nothing leaves the machine. The service is a child process that runs "onmyway serve";
Kafka, Redis, Twilio and a push service are played by this one.

With --once it publishes a number of events as fast as it can, waits until everything has arrived and judges by what the
receivers got. The exit code is 0 only if everything arrived exactly once. On engines of yours (--kafka, --redis,
--database) it makes topics, keys and rows of its own, which stay.`,
		Example: `  onmyway demo
  onmyway demo --once --events 10000
  onmyway demo --once -o json --kafka 127.0.0.1:9092 --redis redis://127.0.0.1:6379 --database postgres://localhost/onmyway`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			binary, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find the service's binary: %w", err)
			}
			o.Command = []string{binary, "serve"}
			o.Color, o.Bar = terminal(os.Stdout) && os.Getenv("NO_COLOR") == "", terminal(os.Stderr)
			switch {
			case o.Events < 1 || o.Kills < 0 || o.Kills >= o.Events:
				return usageError{errors.New("--events must be 1 or more, and more than --kills")}
			case !once && (cmd.Flags().Changed("events") || cmd.Flags().Changed("kills") || cmd.Flags().Changed("output")):
				return usageError{errors.New("--events, --kills and --output go with --once")}
			case once:
				return demoOnce(cmd, o, *output)
			}
			return demo.Play(cmd.Context(), o)
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&o.Addr, "addr", "127.0.0.1:8090", "where the page is; a free port when this one is taken")
	fs.BoolVar(&once, "once", false, "publish --events events, judge what arrived, and end")
	fs.IntVar(&o.Events, "events", 1000, "how many events --once publishes")
	output = outputFlag(fs)
	fs.StringVar(&o.Kafka, "kafka", "", "brokers to run on, host:port (default: an embedded one)")
	fs.StringVar(&o.Redis, "redis", "", "Redis to run on, redis://host:port (default: an embedded one)")
	fs.StringVar(&o.Database, "database", "", "database to run on, postgres://… (default: a SQLite file)")
	fs.IntVar(&o.Kills, "kills", 0, "how often --once kills the service on the way")
	cmd.AddCommand(demoTwilioCommand())
	return cmd
}

// demoOnce runs the demo without a page.
func demoOnce(cmd *cobra.Command, o demo.Options, f format) error {
	rep, err := demo.Once(cmd.Context(), o)
	if err != nil {
		return err
	}
	if f == asJSON {
		err = printJSON(o.Out, rep)
	} else {
		err = rep.Table(o.Out)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if !rep.OK() {
		rep.Complain(o.Err)
		return fmt.Errorf("%d lost, %d doubled, %d unexpected", rep.Lost, rep.Doubled, rep.Unexpected)
	}
	return nil
}
