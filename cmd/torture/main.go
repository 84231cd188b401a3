package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:])) }

// options are what the command line says.
type options struct {
	only     string
	seed     uint64
	seeds    int
	scale    float64
	kafka    string
	db       string
	output   string
	binary   string
	full     bool
	controls bool
	list     bool
	keep     bool
	verbose  bool
}

const usage = `torture tries to break the promises of onmyway and judges it by what providers received.

  go run ./cmd/torture                            every scenario of the gate
  go run ./cmd/torture -run R1,R3 -scale 0.1      two of them with a tenth of the load
  go run ./cmd/torture -run R1 -seed 42           the same faults once more
  go run ./cmd/torture -full -o json              all, with ten seeds where that helps
  go run ./cmd/torture -controls                  broken builds, each of which must be caught

Exit code 0: every promise held. 1: one was broken, or its rare path was never reached. 2: used wrongly.

`

// run executes a command line and returns its exit code.
func run(args []string) int {
	var o options
	f := flag.NewFlagSet("torture", flag.ContinueOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.only, "run", "", "scenarios, such as R1,R3; empty: all of the tier")
	f.Uint64Var(&o.seed, "seed", 0, "of the faults; 0: another one each time")
	f.IntVar(&o.seeds, "seeds", 1, "how often each scenario runs, each time with the next seed")
	f.Float64Var(&o.scale, "scale", 1, "part of the load and of the faults, such as 0.1")
	f.StringVar(&o.kafka, "kafka", "kfake", "kfake, in this process, or real: the broker of ONMYWAY_TEST_KAFKA")
	f.StringVar(&o.db, "db", "", "sqlite or postgres; empty: what suits the scenario")
	f.StringVar(&o.output, "o", "text", "text or json")
	f.StringVar(&o.binary, "binary", "", "the onmyway to break; empty: it is built")
	f.BoolVar(&o.full, "full", false, "also the long scenarios, and ten seeds of those that depend on luck")
	f.BoolVar(&o.controls, "controls", false, "run the negative controls instead")
	f.BoolVar(&o.list, "list", false, "list scenarios and controls")
	f.BoolVar(&o.keep, "keep", false, "keep ledgers and logs of scenarios that passed too")
	f.BoolVar(&o.verbose, "v", false, "tell every step")
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if err := o.check(f.Args()); err != nil {
		fmt.Fprintf(os.Stderr, "torture: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := o.do(ctx)
	if err != nil {
		fmt.Fprintf(os.Stderr, "torture: %v\n", err)
	}
	if !ok || err != nil {
		return 1
	}
	return 0
}

func (o *options) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag: name scenarios with -run", rest[0])
	case o.scale <= 0 || o.scale > 10:
		return errors.New("-scale must be more than 0 and at most 10")
	case o.kafka != "kfake" && o.kafka != "real":
		return fmt.Errorf("-kafka %q: use kfake or real", o.kafka)
	case o.kafka == "real" && os.Getenv("ONMYWAY_TEST_KAFKA") == "":
		return errors.New("-kafka real needs the address of a broker in ONMYWAY_TEST_KAFKA; `make services` starts one")
	case o.db != "" && o.db != "sqlite" && o.db != "postgres":
		return fmt.Errorf("-db %q: use sqlite or postgres", o.db)
	case o.output != "text" && o.output != "json":
		return fmt.Errorf("-o %q: use text or json", o.output)
	case o.seeds < 1:
		return errors.New("-seeds must be 1 or more")
	}
	if o.seed == 0 {
		o.seed = rand.Uint64N(1_000_000) + 1
	}
	if o.controls {
		_, err := o.chosenControls()
		return err
	}
	_, err := o.chosen()
	return err
}

// chosen are the scenarios that the command line asks for.
func (o *options) chosen() (list []scenario, err error) {
	if o.only == "" {
		for _, s := range scenarios {
			if o.full || !s.full {
				list = append(list, s)
			}
		}
		return list, nil
	}
	for _, id := range strings.Split(o.only, ",") {
		s, known := scenarioOf(strings.TrimSpace(id))
		if !known {
			return nil, fmt.Errorf("-run %q is no scenario: -list names them", id)
		}
		list = append(list, s)
	}
	return list, nil
}

func (o *options) do(ctx context.Context) (ok bool, err error) {
	if o.list {
		return true, printList(os.Stdout)
	}
	if o.controls {
		return o.runControls(ctx)
	}
	list, err := o.chosen()
	if err != nil {
		return false, err
	}
	return o.runScenarios(ctx, list)
}
