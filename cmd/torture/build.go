package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// build makes the program in dir, with a build tag unless that is empty, and returns its path.
func build(ctx context.Context, dir, tag string, extra ...string) (string, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", err
	}
	began := time.Now()
	path := filepath.Join(dir, strings.TrimSuffix("onmyway-"+tag, "-"))
	args := append([]string{"build", "-tags", tag, "-o", path}, extra...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/onmyway")...)
	cmd.Dir = root // and the environment of whoever builds otherwise: then most of it is compiled already
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build onmyway: %w\n%s", err, out)
	}
	say("built %s in %.0f s", filepath.Base(path), time.Since(began).Seconds())
	return path, nil
}

// moduleRoot is where go.mod is.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	mod := strings.TrimSpace(string(out))
	if err != nil || mod == "" || mod == os.DevNull {
		return "", fmt.Errorf("find the source of onmyway: run this inside its tree, or name a program with -binary: %v", err)
	}
	return filepath.Dir(mod), nil
}
