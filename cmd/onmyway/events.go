package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Send order events to the service",
		Args:  noArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(eventsPublishCommand())
	return cmd
}

func eventsPublishCommand() *cobra.Command {
	var o publishOptions
	cmd := &cobra.Command{
		Use:   "publish [FILE|-]",
		Short: "Check events and send them",
		Long: `Check events and send them. The file holds one event a line (NDJSON), an array of events, or JSON objects one after the
other; - or nothing is standard input. It may be of any size: it is read as it is sent.

Each event is checked here first. What is wrong is told with its line and what to do, and the others are sent. Events are
known by their id, so that publishing a file again sends nobody anything twice.

The exit code is 0 when every event was taken, and 1 when one was rejected or the service could not be reached.`,
		Example: `  onmyway events publish orders.ndjson
  onmyway events publish --dry-run orders.json
  tail -F orders.ndjson | onmyway events publish --rate 50 -
  onmyway events publish -o json --url https://notify.example.com --key-file key.txt orders.ndjson`,
		Args: atMostOne("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.rate < 0 {
				return usageError{errors.New("--rate must be 1 or more; 0 is as fast as it goes")}
			}
			var client *restClient
			if !o.dryRun {
				var err error
				if client, err = newRESTClient(cmd.Flags()); err != nil {
					return err
				}
			}
			in, err := openInput(cmd, args)
			if err != nil {
				return err
			}
			defer in.close()
			return publishEvents(cmd, client, in, o)
		},
	}
	fs := cmd.Flags()
	restFlags(fs)
	fs.BoolVar(&o.dryRun, "dry-run", false, "only check, send nothing")
	fs.IntVar(&o.rate, "rate", 0, "events a second at most (default: as fast as it goes)")
	o.output = outputFlag(fs)
	return cmd
}

type publishOptions struct {
	dryRun bool
	rate   int // events a second; 0 is no limit
	output *format
}

// atMostOne takes one argument or none.
func atMostOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usageError{fmt.Errorf("%s takes one %s: %q is too many", cmd.Name(), what, args[1])}
		}
		return nil
	}
}

// exactlyOne takes one argument.
func exactlyOne(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usageError{fmt.Errorf("%s needs a %s", cmd.Name(), what)}
		}
		return atMostOne(what)(cmd, args)
	}
}

// input is a file, or standard input.
type input struct {
	io.Reader
	file  *os.File // nil for standard input
	size  int64    // bytes; 0 when nobody knows
	lines bool     // its name says that it holds one value a line
}

// openInput opens what the arguments of a command name. Errors are mistakes of the caller.
func openInput(cmd *cobra.Command, args []string) (*input, error) {
	if len(args) == 0 || args[0] == "-" {
		return &input{Reader: cmd.InOrStdin()}, nil
	}
	f, err := os.Open(args[0])
	if err != nil {
		return nil, usageError{fmt.Errorf("open the file: %w", err)}
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder: name a file", args[0])
	}
	if err != nil {
		return nil, errors.Join(usageError{err}, f.Close())
	}
	in := &input{Reader: f, file: f, lines: strings.HasSuffix(args[0], ".ndjson") || strings.HasSuffix(args[0], ".jsonl")}
	if info.Mode().IsRegular() {
		in.size = info.Size()
	}
	return in, nil
}

// close gives the file back. Nothing was written, so there is no error to tell.
func (in *input) close() {
	if in.file != nil {
		_ = in.file.Close()
	}
}

// errStopped is the end of a command that was interrupted.
var errStopped = errors.New("stopped before the end")

// stopped says errStopped where an error only means that the command was interrupted.
func stopped(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return errStopped
	}
	return err
}
