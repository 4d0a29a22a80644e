package registry

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/efgsta/efgsta/pkg/strictyaml"
)

// ConfigFile is the reviewed and hashed configuration of a workspace.
const ConfigFile = "efgsta.yaml"

const configSchema = "efgsta.config/v1"

// Environment separates the real list from everything else.
type Environment string

// The environments.
const (
	Rehearsal  Environment = "rehearsal"
	Production Environment = "production"
)

// Config is efgsta.yaml.
type Config struct {
	Schema      string      `yaml:"schema"`
	ListID      string      `yaml:"list-id"`
	Environment Environment `yaml:"environment"`
	Policy      string      `yaml:"policy"`
	// ListLifetime is how long a trust list is fresh, PlanWindow how long a plan may
	// be signed, both as days: "90d".
	ListLifetime Days `yaml:"list-lifetime"`
	PlanWindow   Days `yaml:"plan-window"`
}

// Days is a length of time in whole days.
type Days int

// UnmarshalText reads "90d".
func (d *Days) UnmarshalText(text []byte) error {
	n, err := strconv.Atoi(strings.TrimSuffix(string(text), "d"))
	if err != nil || !strings.HasSuffix(string(text), "d") || n < 1 || n > 731 {
		return fmt.Errorf("%q is not a number of days from 1d to 731d", text)
	}
	*d = Days(n)
	return nil
}

// isListID reports whether s has 1 to 63 lower-case letters, digits, dots and
// hyphens and begins with one of the first two.
func isListID(s string) bool {
	for i, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (i == 0 || c != '.' && c != '-') {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 63
}

// DefaultConfig is what init writes.
func DefaultConfig(env Environment, policy string) Config {
	return Config{Schema: configSchema, ListID: "efgs-" + string(env), Environment: env, Policy: policy, ListLifetime: 90, PlanWindow: 7}
}

// ParseConfig reads efgsta.yaml strictly.
func ParseConfig(data []byte) (Config, error) {
	var c Config
	if err := strictyaml.Unmarshal(data, 64<<10, &c); err != nil {
		return c, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	return c, c.check()
}

func (c *Config) check() error {
	switch {
	case c.Schema != configSchema:
		return fmt.Errorf("%s: schema is %q, expected %q", ConfigFile, c.Schema, configSchema)
	case !isListID(c.ListID):
		return fmt.Errorf("%s: list-id %q: lower-case letters, digits, dots and hyphens, at most 63", ConfigFile, c.ListID)
	case c.Environment != Rehearsal && c.Environment != Production:
		return fmt.Errorf("%s: environment %q is not rehearsal or production", ConfigFile, c.Environment)
	case c.Policy == "":
		return fmt.Errorf("%s: policy is missing", ConfigFile)
	case c.ListLifetime == 0 || c.PlanWindow == 0:
		return fmt.Errorf("%s: list-lifetime or plan-window is missing", ConfigFile)
	}
	return nil
}

// Encode writes the file with a comment per field, for the person who reviews it.
func (c Config) Encode() []byte {
	return fmt.Appendf(nil, `# The configuration of this workspace. Its hash is part of every plan: a change
# needs a new plan. Which token and key are used stands in hsm.yaml.
schema: %s

# Name of the trust list; receivers keep their rollback state under it.
list-id: %s

# rehearsal or production; fixed when the workspace was made.
environment: %s

# The policy that certificates are vetted under ("efgsta rules" lists its rules).
policy: %s

# How long a trust list counts as fresh after it was signed.
list-lifetime: %dd

# How long after "efgsta plan" its plan may be signed.
plan-window: %dd
`, c.Schema, c.ListID, c.Environment, c.Policy, c.ListLifetime, c.PlanWindow)
}
