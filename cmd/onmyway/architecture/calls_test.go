package architecture_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What nobody may call, by import path and name, and why.
var forbidden = map[string]map[string]string{
	"net/http": {
		"DefaultClient": noBounds, "Get": noBounds, "Head": noBounds, "Post": noBounds, "PostForm": noBounds,
	},
	"github.com/go-chi/chi/v5/middleware": {
		"RealIP": "it believes a header that every caller can send",
	},
}

const noBounds = "it has no time limit and no guard: use outhttp.Client"

func TestNobodyCallsWhatIsForbidden(t *testing.T) {
	read := 0
	eachFile(t, func(path string, file *ast.File, fset *token.FileSet) {
		read++
		imported := importsOf(file)
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok {
					if why := forbidden[imported[x.Name]][n.Sel.Name]; why != "" {
						t.Errorf("%s: %s.%s: %s", fset.Position(n.Pos()), x.Name, n.Sel.Name, why)
					}
				}
			case *ast.CallExpr:
				if strings.HasPrefix(path, "channels/") && setsIdempotencyKey(n) {
					t.Errorf("%s: with an Idempotency-Key net/http sends a request again when a kept connection breaks", fset.Position(n.Pos()))
				}
			}
			return true
		})
	})
	if read < 100 {
		t.Fatalf("read only %d files", read)
	}
}

// eachFile parses the files of the tree, without tests.
func eachFile(t *testing.T, do func(path string, file *ast.File, fset *token.FileSet)) {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		short, err := filepath.Rel(root, path)
		do(filepath.ToSlash(short), file, fset)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// importsOf is what the file imports, by the name that it uses.
func importsOf(file *ast.File) map[string]string {
	imported := map[string]string{}
	for _, s := range file.Imports {
		path, err := strconv.Unquote(s.Path.Value)
		if err != nil {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if s.Name != nil {
			name = s.Name.Name
		}
		imported[name] = path
	}
	return imported
}

// setsIdempotencyKey tells that a call is Set or Add with that header as its first argument.
func setsIdempotencyKey(call *ast.CallExpr) bool {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || f.Sel.Name != "Set" && f.Sel.Name != "Add" || len(call.Args) != 2 {
		return false
	}
	name, ok := call.Args[0].(*ast.BasicLit)
	return ok && name.Kind == token.STRING && strings.EqualFold(strings.Trim(name.Value, "\"`"), "Idempotency-Key")
}
