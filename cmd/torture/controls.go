package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// control is a program that is broken on purpose, by a build tag, and the scenario that must find it out. A harness that
// lets one of them pass proves nothing about the program that is not broken.
type control struct {
	tag      string
	scenario string
	broken   string // what is wrong with it
	database string // the one that it is broken with; empty for the scenario's own
	scale    float64
	finding  string // in the words of the failure: another one would be luck
}

var controls = []control{
	{"bad_redis_first", "R1", "an event counts as done when Redis knows it, and Redis hears of it before SQL", "", 0.1, "text lost"},
	{"bad_send_then_mark", "R1", "that a text is being sent is not written down before it is sent", "", 0.1, "text told twice"},
	{"bad_no_verify", "R1", "a text with an unclear answer is sent again", "", 0.05, "text told twice"},
	{"bad_lease_only", "R1z", "a process counts as dead when it was not heard of for a while", "sqlite", 0.2, "process that lives"},
	{"bad_reader_commit", "R8", "offsets are committed in the name of whatever generation there is", "", 0.3, "went back"},
	{"bad_flock_gc", "R1z", "nobody holds the file whose lock says that the process lives", "sqlite", 0.2, "process that lives"},
	{"bad_stop_cached", "R18", "who has opted out is looked up when a text is made and never again", "", 0.2, "after a STOP"},
	{"bad_follow_redirect", "R7", "a redirect of a push service is followed", "", 0.03, "followed a redirect"},
}

// seedsPerControl is how often a scenario may try to find a broken program: what is broken may need luck to be seen.
const seedsPerControl = 3

// runControls builds each broken program and demands that its scenario finds it out.
func (o *options) runControls(ctx context.Context) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "onmyway-controls")
	if err != nil {
		return false, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Chmod(dir, 0o711); err != nil {
		return false, fmt.Errorf("open a folder to the database's user: %w", err)
	}
	list, err := o.chosenControls()
	if err != nil {
		return false, err
	}
	caught := 0
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "control\tscenario\tseed\tlost\tdoubled\tseconds\t\tfound by")
	for _, c := range list {
		r, err := o.catch(ctx, c, dir)
		if err != nil {
			return false, err
		}
		verdict, found := "NOT CAUGHT", c.found(r)
		if found != "" {
			verdict = "caught"
			caught++
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%.1f\t%s\t%s\n", c.tag, c.scenario, r.Seed, r.Lost, r.Doubled, r.Seconds, verdict, found)
	}
	if err := t.Flush(); err != nil {
		return false, err
	}
	fmt.Printf("%d of %d broken programs were caught\n", caught, len(list))
	return caught == len(list), nil
}

// chosenControls are those that -run names, by their tags; all of them when it is empty.
func (o *options) chosenControls() (list []control, err error) {
	if o.only == "" {
		return controls, nil
	}
	for _, tag := range strings.Split(o.only, ",") {
		found := false
		for _, c := range controls {
			if c.tag == strings.TrimSpace(tag) {
				list, found = append(list, c), true
			}
		}
		if !found {
			return nil, fmt.Errorf("-run %q is no control: -list names them", tag)
		}
	}
	return list, nil
}

// catch runs a broken program until its scenario finds it out.
func (o *options) catch(ctx context.Context, c control, dir string) (r result, err error) {
	if err := tagged(ctx, c.tag); err != nil {
		return r, err
	}
	binary, err := build(ctx, dir, c.tag)
	if err != nil {
		return r, err
	}
	defer func() { _ = os.Remove(binary) }()
	s, _ := scenarioOf(c.scenario)
	with := *o
	with.scale = c.scale * o.scale
	if c.database != "" {
		with.db = c.database
	}
	for i := range seedsPerControl {
		r = with.try(ctx, s, o.seed+uint64(i), dir, binary)
		if r.Skipped != "" {
			return r, errors.New(c.tag + ": " + r.Skipped)
		}
		if c.found(r) != "" {
			break
		}
	}
	say("%s: %q", c.tag, c.found(r))
	return r, nil
}

// found is the failure by which a run found the broken program out; empty when it did not.
func (c *control) found(r result) string {
	if i := slices.IndexFunc(r.Failures, func(f string) bool { return strings.Contains(f, c.finding) }); i >= 0 && r.Broken {
		return r.Failures[i]
	}
	return ""
}

var errFound = errors.New("found")

// tagged demands that a file of the program knows the tag: a tag that nobody knows breaks nothing.
func tagged(ctx context.Context, tag string) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		source, err := os.ReadFile(path)
		head, _, _ := strings.Cut(string(source), "\npackage ")
		if err == nil && strings.Contains(head, "//go:build "+tag) {
			return errFound
		}
		return err
	})
	switch {
	case errors.Is(err, errFound):
		return nil
	case err != nil:
		return fmt.Errorf("look for the tag %s: %w", tag, err)
	}
	return fmt.Errorf("no file has the build tag %s", tag)
}
