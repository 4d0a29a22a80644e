package registry_test

import (
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/registry"
)

func TestConfigRoundTrip(t *testing.T) {
	for _, env := range []registry.Environment{registry.Rehearsal, registry.Production} {
		c := registry.DefaultConfig(env, "efgs-2020")
		c.ListLifetime, c.PlanWindow = 731, 1
		back, err := registry.ParseConfig(c.Encode())
		if err != nil || back != c {
			t.Errorf("ParseConfig = %+v, %v, want %+v", back, err, c)
		}
	}
}

func TestParseConfigRefuses(t *testing.T) {
	good := string(registry.DefaultConfig(registry.Rehearsal, "efgs-2020").Encode())
	for name, r := range map[string][2]string{
		"schema":            {"efgsta.config/v1", "efgsta.config/v2"},
		"list id":           {"list-id: efgs-rehearsal", "list-id: EFGS"},
		"list id too long":  {"list-id: efgs-rehearsal", "list-id: " + strings.Repeat("a", 64)},
		"list id missing":   {"list-id: efgs-rehearsal\n", ""},
		"environment":       {"environment: rehearsal", "environment: staging"},
		"policy":            {"policy: efgs-2020", "policy: \"\""},
		"lifetime 0":        {"90d", "0d"},
		"lifetime negative": {"90d", "-1d"},
		"lifetime too long": {"90d", "732d"},
		"lifetime in weeks": {"90d", "9w"},
		"lifetime no unit":  {"90d", "90"},
		"lifetime missing":  {"list-lifetime: 90d\n", ""},
		"window missing":    {"plan-window: 7d\n", ""},
		"unknown field":     {"plan-window: 7d\n", "plan-window: 7d\nextra: 1\n"},
		"twice":             {"plan-window: 7d\n", "plan-window: 7d\nplan-window: 7d\n"},
		"two documents":     {"plan-window: 7d\n", "plan-window: 7d\n---\n"},
		"too large":         {"plan-window: 7d\n", "plan-window: 7d\n" + strings.Repeat("# \n", 30000)},
	} {
		text := strings.Replace(good, r[0], r[1], 1)
		if text == good {
			t.Fatalf("%s: the vector changes nothing", name)
		}
		if c, err := registry.ParseConfig([]byte(text)); err == nil {
			t.Errorf("%s: read as %+v", name, c)
		} else if !strings.Contains(err.Error(), registry.ConfigFile) {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add(registry.DefaultConfig(registry.Rehearsal, "efgs-2020").Encode())
	f.Add([]byte("schema: efgsta.config/v1\nlist-lifetime: 9223372036854775808d\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := registry.ParseConfig(data)
		if err == nil && (c.ListLifetime < 1 || c.PlanWindow < 1 || c.Policy == "" || c.ListID == "") {
			t.Fatalf("accepted %+v", c)
		}
	})
}
