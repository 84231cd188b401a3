package notify_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"onmyway/notify"
)

// declaredReasons reads the constants of type Reason from the source.
func declaredReasons(t *testing.T) (all []notify.Reason) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		word, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, notify.Reason(word))
		return true
	})
	if len(all) < 10 {
		t.Fatalf("only %d reasons found in reason.go", len(all))
	}
	return all
}
