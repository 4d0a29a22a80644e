package archtest

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

// forbidden are calls that a library package leaves to cmd.
var forbidden = map[string]string{
	"time.Now":   "time is passed in",
	"time.Since": "time is passed in",
	"os.Exit":    "only cmd exits",
	"log.":       "libraries return errors",
	"fmt.Print":  "only cmd prints",
	"os.Stdout":  "only cmd prints",
	"os.Stderr":  "only cmd prints",
	"os.Getenv":  "only cmd reads the environment",
}

// Below cmd there is no clock, no output, no exit, no work before main, and each
// package says what it is.
func TestLibraries(t *testing.T) {
	commented := map[string]bool{}
	read := 0
	for _, top := range []string{"pkg", "policy", "cmd"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			read++
			dir := filepath.Dir(path)
			commented[dir] = commented[dir] || (file.Doc != nil && (strings.HasPrefix(file.Doc.Text(), "Package "+file.Name.Name+" ") || strings.HasPrefix(file.Doc.Text(), "Command ")))
			if name := file.Name.Name; name != "main" && !strings.HasSuffix(name, "test") { // what serves tests may
				inspect(t, set, file)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if read < 20 {
		t.Fatalf("only %d files were read", read)
	}
	for dir, ok := range commented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func inspect(t *testing.T, set *token.FileSet, file *ast.File) {
	t.Helper()
	std := map[string]string{} // name in this file → import path
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		name := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			name = spec.Name.Name
		}
		std[name] = path
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				t.Errorf("%s: init does work before main", set.Position(n.Pos()))
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok || std[x.Name] == "" {
				break
			}
			for what, why := range forbidden {
				if strings.HasPrefix(std[x.Name]+"."+n.Sel.Name, what) {
					t.Errorf("%s: %s.%s: %s", set.Position(n.Pos()), x.Name, n.Sel.Name, why)
				}
			}
		}
		return true
	})
}
