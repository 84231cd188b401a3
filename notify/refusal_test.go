package notify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"onmyway/notify"
)

// A code that is not listed is explained nowhere.
func TestEveryRefusalIsListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "resend.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Refuse") || len(spec.Values) != 1 {
			return true
		}
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		if declared++; !slices.Contains(notify.Refusals, code) {
			t.Errorf("%s is not in notify.Refusals", code)
		}
		return true
	})
	if declared != len(notify.Refusals) || declared == 0 {
		t.Errorf("%d codes are declared and %d listed", declared, len(notify.Refusals))
	}
}

func TestJustSentRefusal(t *testing.T) {
	for ago, want := range map[time.Duration]string{
		0: "0 seconds ago", 1900 * time.Millisecond: " 1 second ago", 20 * time.Second: "20 seconds ago",
	} {
		if said := notify.JustSentRefusal(ago).Error(); !strings.Contains(said, want) {
			t.Errorf("%s: %q does not say %q", ago, said, want)
		}
	}
}
