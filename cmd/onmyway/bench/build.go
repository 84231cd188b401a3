package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// building measures how long the compiler takes for everything, the standard library included.
type building struct{ lab *lab }

// needsSource: there must be Go, and this program's source around us.
func needsSource(l *lab) string {
	switch _, err := moduleRoot(context.Background()); {
	case l.Quick:
		return "a build cannot be quick"
	case err != nil:
		return "it needs Go and to be run inside the source: " + err.Error()
	}
	return ""
}

func (b *building) close() error { return nil }

func (b *building) round(ctx context.Context, _ int) (readings, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := b.lab.folder()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(dir, "onmyway"), "./cmd/onmyway")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+filepath.Join(dir, "cache"))
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build: %w: %s", err, out)
	}
	took := time.Since(began)
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove the build cache: %w", err)
	}
	return readings{"build": {value: took.Seconds()}}, nil
}

// moduleRoot is where go.mod is.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("ask Go for the module: %w", err)
	}
	path, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if path != "onmyway" {
		return "", errors.New("this is the source of something else")
	}
	return dir, nil
}
