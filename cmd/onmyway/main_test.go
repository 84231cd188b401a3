package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// asProgram makes the test binary be the program: the tests start it as often as they need processes.
const asProgram = "ONMYWAY_TEST_MAIN"

// asName is how the test binary is called where a shell of the documents starts it as the program.
const asName = "onmyway"

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == asName {
		os.Exit(run(os.Args[1:]))
	}
	if os.Getenv(asProgram) == "1" {
		go func() { // a test that dies takes its processes along: their standard input ends with it
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(3)
		}()
		os.Exit(run(os.Args[1:]))
	}
	goleak.VerifyTestMain(m)
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name   string
		args   string
		env    []string
		code   int
		says   string // in what it writes, wherever
		silent string // must not be in it
	}{
		{name: "no command", args: "", code: 0, says: "serve"},
		{name: "help", args: "--help", code: 0, says: "Available Commands"},
		{name: "version", args: "--version", code: 0, says: version},
		{name: "keys", args: "vapid generate", code: 0, says: "private_key: "},
		{name: "unknown command", args: "serv", code: 2, says: `"serv" is not a command, did you mean "serve"?`},
		{name: "help for no command", args: "serv", code: 2, says: "Run 'onmyway --help'"},
		{name: "help for a group", args: "messages lst", code: 2, says: "Run 'onmyway messages --help'"},
		{name: "help for the command used", args: "messages list --state faild", code: 2, says: "Run 'onmyway messages list --help'"},
		{name: "help for its flags", args: "keys create --nme x", code: 2, says: "Run 'onmyway keys create --help'"},
		{name: "argument that serve does not take", args: "serve now", code: 2, says: `serve takes no arguments: "now"`},
		{name: "unknown flag", args: "serve --http.adr :1", code: 2, says: "http.adr"},
		{name: "flag of the wrong type", args: "serve --kafka.partitions many", code: 2, says: "kafka.partitions"},
		{name: "unknown variable", args: "serve", env: []string{"ONMYWAY_KAFKA__BROKER=a:1"}, code: 2, says: "did you mean kafka.brokers?"},
		{name: "no such file", args: "serve --config /nowhere.yaml", code: 2, says: "/nowhere.yaml"},
		{name: "log level", args: "serve --log.level loud", code: 2, says: "log.level"},
		{name: "log format", args: "migrate status --log.format xml", code: 2, says: "log.format"},
		{name: "address in use by name", args: "serve --http.addr 256.0.0.1:1", code: 1, says: "http.addr", silent: "--help"},
		{name: "database of no known kind", args: "migrate status --database.url mysql://u:hidden@h/d", code: 1,
			says: "postgres://", silent: "hidden"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := append([]string{"ONMYWAY_EMBEDDED__DATA_DIR=" + t.TempDir(), "ONMYWAY_EMBEDDED__KAFKA_ADDR=127.0.0.1:0",
				"ONMYWAY_OPS__ADDR=127.0.0.1:0"}, tt.env...)
			code, out := program(t, env, strings.Fields(tt.args)...)
			if code != tt.code || !strings.Contains(out, tt.says) {
				t.Errorf("exit code %d, want %d; it should say %q:\n%s", code, tt.code, tt.says, out)
			}
			if tt.silent != "" && strings.Contains(out, tt.silent) {
				t.Errorf("it shows %q:\n%s", tt.silent, out)
			}
		})
	}
}
