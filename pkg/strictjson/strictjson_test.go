package strictjson

import (
	"errors"
	"strings"
	"testing"
)

type sample struct {
	Schema string   `json:"schema"`
	N      int      `json:"n"`
	List   []string `json:"list"`
}

const good = "{\n  \"schema\": \"x/v1\",\n  \"n\": 1,\n  \"list\": [\n    \"<a>\"\n  ]\n}\n"

func TestRoundTrip(t *testing.T) {
	b, err := Marshal(sample{"x/v1", 1, []string{"<a>"}})
	if err != nil || string(b) != good {
		t.Fatalf("Marshal = %q, %v", b, err)
	}
	var s sample
	if err := Unmarshal(b, 1000, &s); err != nil || s.List[0] != "<a>" {
		t.Fatalf("Unmarshal = %+v, %v", s, err)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for name, data := range map[string]string{
		"empty":          "",
		"not JSON":       "{",
		"unknown member": strings.Replace(good, `"n": 1`, `"n": 1,  "m": 2`, 1),
		"duplicate":      strings.Replace(good, `"n": 1`, "\"n\": 2,\n  \"n\": 1", 1),
		"other case":     strings.Replace(good, `"n"`, `"N"`, 1),
		"spacing":        strings.Replace(good, `"n": 1`, `"n":1`, 1),
		"trailing":       good + "{}",
		"missing LF":     strings.TrimSuffix(good, "\n"),
		"number form":    strings.Replace(good, `"n": 1`, `"n": 1.0`, 1),
		"escape":         strings.Replace(good, "<a>", `\u003ca>`, 1),
		"too long":       strings.Replace(good, "<a>", strings.Repeat("a", 2000), 1),
	} {
		var s sample
		if err := Unmarshal([]byte(data), 1000, &s); !errors.Is(err, ErrForm) {
			t.Errorf("%s: %v, want ErrForm", name, err)
		}
	}
}

func TestMarshalEscapesInvisible(t *testing.T) {
	in := sample{"x/v1", 1, []string{"a\u202eb\u009bc\u200bd\u0085e\u00e9\x7f"}}
	b, err := Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), `"a\u202eb\u009bc\u200bd\u0085eé\u007f"`) {
		t.Errorf("Marshal = %s", b)
	}
	var s sample
	if err := Unmarshal(b, 1000, &s); err != nil || s.List[0] != in.List[0] {
		t.Errorf("Unmarshal = %q, %v", s.List, err)
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s sample
		if Unmarshal(data, 1<<16, &s) != nil {
			return
		}
		again, err := Marshal(s)
		if err != nil || string(again) != string(data) {
			t.Fatalf("accepted %q but writes %q", data, again)
		}
	})
}
