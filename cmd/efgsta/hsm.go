package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/report"
)

func newHSMCmd(a *app) *cobra.Command {
	c := &cobra.Command{Use: "hsm", Short: "Tokens and their keys, through PKCS#11", Args: cobra.NoArgs}
	c.AddCommand(newHSMListCmd(a), newHSMInspectCmd(a), newHSMProbeCmd(a), newHSMKeygenCmd(a), newHSMProbeChildCmd(a))
	return c
}

// wired are the flags of the hsm commands: they need no workspace, but take what
// its hsm.yaml says where the command line is silent.
type wired struct {
	keyFlags
	dir string
}

func (f *wired) add(c *cobra.Command, a *app) {
	c.Flags().StringVar(&f.dir, "workspace", defaultDir(a), "workspace `DIR` whose hsm.yaml is read, if there is one (or EFGSTA_WORKSPACE)")
	f.keyFlags.add(c)
	c.Flags().Lookup("key").Usage = "PKCS#11 `URI` of a token, or of a key in it"
}

// uri fills in what the flags left out and insists on a token.
func (f *wired) uri() (wiring, error) {
	w, err := f.resolve(f.dir)
	if err == nil && strings.HasPrefix(w.Key, "file:") {
		err = usagef("give --key 'pkcs11:token=…;object=…' --module FILE", "the key of this workspace is a file")
	}
	return w, err
}

func newHSMListCmd(a *app) *cobra.Command {
	var f wired
	var format formatFlag
	c := &cobra.Command{
		Use:   "list --module FILE",
		Short: "List the tokens that a module shows, without a PIN",
		Long: `Lists every token of a PKCS#11 module: label, serial number, what its PIN flags say
and which algorithms it can sign with. Nothing is asked of the operator and nobody
is logged in. Choose a token by label and serial number: slot numbers change.`,
		Example: `  efgsta hsm list --module /usr/lib/softhsm/libsofthsm2.so`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := format.check(); err != nil {
				return err
			}
			c, err := f.moduleConfig()
			if err != nil {
				return err
			}
			found, err := hsm.List(c)
			if err != nil {
				return err
			}
			return a.showSurvey(found, format)
		},
	}
	f.addModule(c, a)
	format.add(c)
	return c
}

// addModule adds the flags that name a module only.
func (f *wired) addModule(c *cobra.Command, a *app) {
	c.Flags().StringVar(&f.dir, "workspace", defaultDir(a), "workspace `DIR` whose hsm.yaml is read, if there is one (or EFGSTA_WORKSPACE)")
	f.keyFlags.addModule(c)
}

// moduleConfig is the module of the flags or of hsm.yaml, for no token in particular.
func (f *wired) moduleConfig() (hsm.Config, error) {
	w, err := readWiring(f.dir)
	if err != nil {
		return hsm.Config{}, err
	}
	c := hsm.Config{Module: w.Module, InitArgs: w.InitArgs}
	if f.module != "" {
		c.Module = f.module
	}
	if f.initArgs != "" {
		c.InitArgs = f.initArgs
	}
	if c.Module == "" {
		return c, noModule()
	}
	hsm.GuardCrashes(crashed, exitHSM)
	return c, nil
}

const hsmListSchema = "efgsta.hsm-list/v1"

type surveyJSON struct {
	Schema       string      `json:"schema"`
	Module       string      `json:"module"`
	ModuleSHA256 string      `json:"moduleSha256"`
	Tokens       []tokenJSON `json:"tokens"`
	Silent       int         `json:"silentSlots"` // slots whose token does not say what it is
}

type tokenJSON struct {
	Label          string          `json:"label"`
	Serial         string          `json:"serial"`
	Manufacturer   string          `json:"manufacturer"`
	Model          string          `json:"model"`
	Initialized    bool            `json:"initialised"`
	LoginRequired  bool            `json:"loginRequired"`
	ProtectedPath  bool            `json:"protectedAuthenticationPath"`
	WriteProtected bool            `json:"writeProtected"`
	PIN            pinJSON         `json:"pin"`
	Algorithms     []string        `json:"algorithms"`
	Mechanisms     []mechanismJSON `json:"mechanisms"`
}

type pinJSON struct {
	Set      bool `json:"set"`
	CountLow bool `json:"countLow"`
	FinalTry bool `json:"finalTry"`
	Locked   bool `json:"locked"`
	Min      uint `json:"minBytes"`
	Max      uint `json:"maxBytes"` // 0: not told
}

type mechanismJSON struct {
	Name     string `json:"name"`
	MinSize  uint   `json:"minKeySize"`
	MaxSize  uint   `json:"maxKeySize"`
	Sign     bool   `json:"sign"`
	Generate bool   `json:"generateKeyPair"`
}

func newTokenJSON(t hsm.TokenStatus) tokenJSON {
	out := tokenJSON{
		t.Label, t.Serial, t.Manufacturer, t.Model, t.Initialized, t.LoginRequired, t.ProtectedPath, t.WriteProtected,
		pinJSON{t.PINSet, t.PINLow, t.PINFinalTry, t.PINLocked, t.MinPIN, t.MaxPIN}, append([]string{}, t.Algorithms...), []mechanismJSON{},
	}
	for _, m := range t.Mechanisms {
		out.Mechanisms = append(out.Mechanisms, mechanismJSON(m))
	}
	return out
}

func (a *app) showSurvey(s hsm.Survey, format formatFlag) error {
	if format.json() {
		doc := surveyJSON{hsmListSchema, s.Module, s.ModuleSHA256, []tokenJSON{}, s.Silent}
		for _, t := range s.Tokens {
			doc.Tokens = append(doc.Tokens, newTokenJSON(t))
		}
		return a.json(doc)
	}
	a.showModule(s)
	initialised := 0
	var rows [][]string
	for _, t := range s.Tokens {
		if t.Initialized {
			initialised++
		}
		rows = append(rows, []string{report.Escape(t.Label), report.Escape(t.Serial), report.Escape(strings.TrimSpace(t.Manufacturer + " " + t.Model)), tokenState(t), strings.Join(t.Algorithms, " ")})
	}
	a.table([]string{"token", "serial", "made by", "state", "signs with"}, rows)
	if s.Silent > 0 {
		a.printf("%s with a token that does not say what it is\n", plural(s.Silent, "slot"))
	}
	if initialised == 0 {
		a.printf("0 initialised tokens\n")
		a.notef("hint: is the token inserted? for SoftHSM: does SOFTHSM2_CONF name the right token directory, and may this user read it?")
	}
	return nil
}

func (a *app) showModule(s hsm.Survey) {
	a.printf("module  %s\n        sha256 %s\n\n", report.Escape(s.Module), s.ModuleSHA256)
}

// tokenState is what an operator must know before a PIN is typed.
func tokenState(t hsm.TokenStatus) string {
	if !t.Initialized {
		return "not initialised"
	}
	var words []string
	for _, w := range []struct {
		is   bool
		text string
	}{
		{t.PINLocked, "PIN LOCKED"},
		{t.PINFinalTry && !t.PINLocked, "LAST PIN TRY"},
		{t.PINLow && !t.PINFinalTry && !t.PINLocked, "few PIN tries left"},
		{!t.PINSet, "no user PIN set"},
		{t.ProtectedPath, "PIN pad"},
		{t.WriteProtected, "write-protected"},
	} {
		if w.is {
			words = append(words, w.text)
		}
	}
	if len(words) == 0 {
		return "ready"
	}
	return strings.Join(words, ", ")
}

func newHSMInspectCmd(a *app) *cobra.Command {
	var f wired
	var format formatFlag
	c := &cobra.Command{
		Use:   "inspect --key URI --module FILE",
		Short: "Log in to one token and show its private keys and their attributes",
		Long: `Logs in to the token that the URI names, once, and shows its private keys with the
attributes that matter, beside what a key of the EFGSTA must have. A label (object=)
or an ID (id=) in the URI narrows it down to that key, and then the exit code is 1
if the key is not as strict as the EFGSTA's must be. Nothing is signed or written.`,
		Example: `  efgsta hsm inspect --key pkcs11:token=EFGSTA --module /usr/lib/softhsm/libsofthsm2.so
  efgsta hsm inspect --key 'pkcs11:token=EFGSTA;object=efgsta-2026' --pin-file pin --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := format.check(); err != nil {
				return err
			}
			return inspect(c.Context(), a, &f, format)
		},
	}
	f.add(c, a)
	format.add(c)
	return c
}

type keyJSON struct {
	Label      string          `json:"label"`
	ID         string          `json:"id"`
	Algorithm  string          `json:"algorithm"` // "" with a reason in "why"
	Why        string          `json:"why"`
	Attributes []attributeJSON `json:"attributes"`
	Fit        bool            `json:"fit"` // as strict as a key of the EFGSTA must be
}

type attributeJSON struct {
	Name  string `json:"name"`
	Value *bool  `json:"value"` // null: the token does not tell
	Want  bool   `json:"want"`
	Wrong bool   `json:"wrong"`
}

func newAttributesJSON(all []hsm.KeyAttribute) []attributeJSON {
	out := []attributeJSON{}
	for _, at := range all {
		out = append(out, attributeJSON{at.Name, at.Told, at.Want, at.Wrong()})
	}
	return out
}

type inspectJSON struct {
	Schema       string    `json:"schema"`
	Module       string    `json:"module"`
	ModuleSHA256 string    `json:"moduleSha256"`
	Token        tokenJSON `json:"token"`
	Keys         []keyJSON `json:"keys"`
}

func inspect(ctx context.Context, a *app, f *wired, format formatFlag) error {
	w, err := f.uri()
	if err != nil {
		return err
	}
	c, forget, err := f.token(ctx, a, w)
	if err != nil {
		return err
	}
	defer forget()
	in, err := hsm.Inspect(c)
	if err != nil {
		return err
	}
	doc := inspectJSON{"efgsta.hsm-inspect/v1", in.Module, in.ModuleSHA256, newTokenJSON(in.Tokens[0]), []keyJSON{}}
	fit := true
	for _, k := range in.Keys {
		key := keyJSON{k.Label, k.ID, k.Algorithm, k.Why, newAttributesJSON(k.Attributes), k.Algorithm != "" && len(hsm.Weaknesses(k.Attributes)) == 0}
		fit = fit && key.Fit
		doc.Keys = append(doc.Keys, key)
	}
	named := c.URI.Object != "" || len(c.URI.ID) > 0
	switch {
	case format.json():
		err = a.json(doc)
	default:
		a.showInspection(in, named)
	}
	if err == nil && named && (!fit || len(in.Keys) != 1) {
		return no()
	}
	return err
}

func (a *app) showInspection(in hsm.Inspection, named bool) {
	a.showModule(in.Survey)
	t := in.Tokens[0]
	a.printf("token %s, serial %s: %s\n", report.Escape(t.Label), report.Escape(t.Serial), tokenState(t))
	var rows [][]string
	for _, m := range t.Mechanisms {
		if strings.HasPrefix(m.Name, "CKM_") {
			rows = append(rows, []string{m.Name, fmt.Sprintf("%d to %d", m.MinSize, m.MaxSize), yesNo(m.Sign), yesNo(m.Generate)})
		}
	}
	a.table([]string{"mechanism", "key sizes", "signs", "makes keys"}, rows)
	a.printf("and %s that efgsta has no use for (--format json shows them)\n", plural(len(t.Mechanisms)-len(rows), "mechanism"))
	for _, k := range in.Keys {
		a.showKey(k)
	}
	switch {
	case len(in.Keys) == 0 && named:
		a.printf("\nno private key of that name in this token\n")
	case len(in.Keys) == 0:
		a.printf("\nno private key in this token\n")
	}
}

func (a *app) showKey(k hsm.Key) {
	what := k.Algorithm
	if what == "" {
		what = k.Why
	}
	a.printf("\nkey %q, id %s: %s\n", report.Escape(k.Label), k.ID, report.Escape(what))
	a.showAttributes(k.Attributes)
}

// showAttributes prints each attribute, and marks those that are not as they must be.
func (a *app) showAttributes(all []hsm.KeyAttribute) {
	var rows [][]string
	for _, at := range all {
		told, remark := "not told", ""
		if at.Told != nil {
			told = fmt.Sprint(*at.Told)
		}
		if at.Wrong() {
			remark = fmt.Sprintf("must be %v", at.Want)
		}
		rows = append(rows, []string{at.Name, told, remark})
	}
	a.table([]string{"attribute", "value", ""}, rows)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
