// Command onmyway tells car buyers what happens to their car, the moment it happens. See README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // a container image may have no zone files

	"github.com/spf13/cobra"
)

// version is set by the linker in releases.
var version = "dev"

// usageError is a mistake of the caller: exit code 2.
type usageError struct{ error }

func main() {
	os.Exit(run(os.Args[1:]))
}

// run executes a command line and returns its exit code: 0 done, 1 failed, 2 misused.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	root := command()
	root.SetArgs(args)
	used, err := root.ExecuteContextC(ctx)
	switch usage := (usageError{}); {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "onmyway: %v\nRun '%s --help' for how to use it.\n", err, used.CommandPath())
		return 2
	default:
		fmt.Fprintf(os.Stderr, "onmyway: %v\n", err)
		return 1
	}
}

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "onmyway",
		Short:         "Tell car buyers what happens to their car, the moment it happens",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(), demoCommand(), benchCommand(), migrateCommand(), vapidCommand())
	root.AddCommand(eventsCommand(), messagesCommand(), customersCommand(), stopsCommand(), keysCommand(), templatesCommand())
	root.AddCommand(configCommand(), doctorCommand(), healthcheckCommand(), versionCommand(), completionCommand(), manCommand())
	explain(root)
	completeValues(root)
	return root
}

// noArgs refuses arguments, which are most often a misspelt command.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasAvailableSubCommands():
		var known []string
		for _, sub := range documented(cmd) {
			known = append(known, sub.Name())
		}
		return usageError{fmt.Errorf("%q is not a command%s", args[0], didYouMean(args[0], known))}
	default:
		return usageError{fmt.Errorf("%s takes no arguments: %q", cmd.Name(), args[0])}
	}
}
