package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"onmyway/api"
	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify/mapping"
)

// TestSchemathesis throws what the OpenAPI document allows and what it forbids at a running service.
func TestSchemathesis(t *testing.T) {
	t.Parallel()
	switch {
	case testing.Short():
		t.Skip("-short: schemathesis is not run")
	case os.Getenv("ONMYWAY_TEST_SCHEMATHESIS") == "off":
		t.Skip("!!! ONMYWAY_TEST_SCHEMATHESIS is off: the OpenAPI document was NOT tried against the service !!!")
	}
	binary := compiled(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute) // most of it for the first installation on a slow line
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(root, "scripts", "schemathesis"), binary)
	cmd.Env = bare()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it stops the service and cleans up
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit) && exit.ExitCode() == 3:
		t.Skipf("!!! schemathesis can't be had: the OpenAPI document was NOT tried against the service !!!\n%s", out)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	default:
		t.Logf("%s", out)
	}
}

// compiled is the program as people run it, without what the test adds.
func compiled(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "onmyway")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

const generator = "github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2"

// TestGeneratedClient makes a Go client of the OpenAPI document and compiles it.
func TestGeneratedClient(t *testing.T) {
	if os.Getenv("ONMYWAY_TEST_LONG") == "" {
		t.Skip("the generated client is not built: it takes minutes; make test-long does it")
	}
	if testing.Short() {
		t.Skip("-short: no client is generated")
	}
	w := newWorld(t, servers{}, twiliotest.Options{})
	n := w.node().start()
	status, doc, err := n.try(http.MethodGet, "/openapi-3.0.json", nil)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d, %v", status, err)
	}
	n.stop()
	dir := t.TempDir()
	const module = "module client\n\ngo 1.26\n"
	for name, text := range map[string]string{"go.mod": module, "openapi.json": string(doc)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	goTool := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod")
		return cmd.CombinedOutput()
	}
	if out, err := goTool("run", generator, "-version"); err != nil {
		t.Skipf("!!! oapi-codegen can't be had: no client was generated !!!\n%s", tail(out))
	}
	out, err := goTool("run", generator, "-generate", "types,client", "-package", "client", "-o", "client.go", "openapi.json")
	if err != nil {
		t.Fatalf("generate: %v\n%s", err, tail(out))
	}
	if out, err := goTool("mod", "tidy"); err != nil {
		t.Skipf("!!! what the generated client imports can't be had: it was not compiled !!!\n%s", tail(out))
	}
	if out, err := goTool("vet", "."); err != nil {
		t.Errorf("the generated client does not compile: %v\n%s", err, tail(out))
	}
	code, err := os.ReadFile(filepath.Join(dir, "client.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{"ResendMessageWithResponse(", "PatchCustomer", "GetOrderTimelineWithResponse(", "ListMessagesWithResponse("} {
		if !bytes.Contains(code, []byte(method)) {
			t.Errorf("the client has no %s", strings.TrimSuffix(method, "("))
		}
	}
}

// tail is the end of what a tool wrote.
func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }

// TestEventCodesAreExplained: what mapping may refuse an event for has a page.
func TestEventCodesAreExplained(t *testing.T) {
	known := api.ProblemCodes()
	for _, code := range []string{
		mapping.Tombstone, mapping.TooLarge, mapping.NotJSON, mapping.InvalidUTF8, mapping.NULCharacter, mapping.TooDeep,
		mapping.DuplicateKey, mapping.WrongType, mapping.BadText, mapping.MissingField, mapping.MissingIdentity, mapping.UnknownField,
		mapping.UnknownLine, mapping.UnknownMilestone, mapping.BadPhone, mapping.BadTime, mapping.TimeInFuture, mapping.BadLocale,
		mapping.BadTimeZone,
	} {
		if !slices.Contains(known, code) {
			t.Errorf("/problems/%s is not there", code)
		}
	}
}
