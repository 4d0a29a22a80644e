package main

import (
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaDir is absolute: sessions run in directories of their own.
var schemaDir = sync.OnceValue(func() string {
	dir, err := filepath.Abs(filepath.Join("..", "..", "docs", "schemas"))
	if err != nil {
		panic(err)
	}
	return dir
})

// scriptSchema is "schema FILE NAME": FILE (or stdout) is JSON whose "schema" member
// is efgsta.NAME/v1, and satisfies docs/schemas/NAME.schema.json.
func scriptSchema(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: schema FILE NAME")
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	object, _ := value.(map[string]any)
	if want := "efgsta." + args[1] + "/v1"; object["schema"] != want {
		ts.Fatalf("schema is %v, want %s", object["schema"], want)
	}
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(schemaDir(), args[1]+".schema.json"))
	ts.Check(err)
	ts.Check(schema.Validate(value))
}

// Every schema that is published is the schema of something that the sessions check.
func TestEverySchemaIsUsed(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	var sessions strings.Builder
	for _, name := range names {
		sessions.WriteString(readText(t, name))
	}
	files, err := filepath.Glob(filepath.Join(schemaDir(), "*.schema.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas: %v", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".schema.json")
		if !strings.Contains(sessions.String(), " "+name+"\n") {
			t.Errorf("no session checks %s", name)
		}
	}
}
