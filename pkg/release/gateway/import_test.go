package gateway

import (
	"bytes"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

func TestMySQLReadsBack(t *testing.T) {
	im := sample(t)
	for name, im := range map[string]Import{
		"sample":           im,
		"nothing":          {ListID: "efgs", Environment: "production", CreatedAt: day},
		"removals only":    {ListID: "efgs", Environment: "production", Sequence: 1<<64 - 1, CreatedAt: day, Removed: im.Removed},
		"list id of a URN": {ListID: "urn:efgs:list/1.0", Environment: "production", Sequence: 1, CreatedAt: day, Rows: im.Rows},
	} {
		sql, err := MySQL(im)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		back, err := ParseMySQL(sql)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(back, im) {
			t.Errorf("%s: read back as\n%+v\nwant\n%+v", name, back, im)
		}
		rows, err := RowsJSON(im)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if back, err = ParseRowsJSON(rows); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(back, im) {
			t.Errorf("%s: rows read back as\n%+v\nwant\n%+v", name, back, im)
		}
	}
}

// The script says what facts about the gateway's schema demand of it.
func TestMySQLText(t *testing.T) {
	im := sample(t)
	text := string(must(MySQL(im)))
	for _, want := range []string{
		"SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES';",                                                                                            // trap 17, 18
		"INSERT INTO certificate (created_at, thumbprint, country, type, revoked, signature, raw_data)\nSELECT r.created_at, r.thumbprint, r.country, r.type, FALSE,", // trap 12, 13
		"-- list: efgs\n", "-- environment: rehearsal\n", "-- sequence: 7\n", "-- created: 2026-03-01T12:00:00Z\n", "-- rows: 2\n", "-- removed: 1\n",
		im.Rows[0].RawData, im.Rows[1].Signature,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("script lacks %q", want)
		}
	}
	if strings.Contains(text, "{{") || strings.Contains(text, "}}") {
		t.Error("a place was left unfilled")
	}
	for i := range len(text) {
		if text[i] != '\n' && (text[i] < ' ' || text[i] > '~') { // trap 28
			t.Fatalf("byte %#x at %d is not printable ASCII", text[i], i)
		}
	}
	// Trap 26: rows are marked, never deleted. What drops is temporary.
	for _, verb := range []string{"DELETE", "TRUNCATE", "REPLACE INTO", "DROP TABLE", "ALTER", "GRANT", "IGNORE"} {
		if strings.Contains(text, verb) {
			t.Errorf("script has %s", verb)
		}
	}
	for _, m := range regexp.MustCompile("`([^`]*)`").FindAllStringSubmatch(text, -1) {
		if len(m[1]) > 64 {
			t.Errorf("column name %s is longer than 64", m[1])
		}
	}
	// Each guard that the script counts on before COMMIT is there.
	if n := strings.Count(text, "INSERT INTO efgsta_guard"); n != 6 || !strings.Contains(text, "IF(COUNT(*) = 6, 'COMMIT', 'DO 0')") {
		t.Errorf("%d guards", n)
	}
	if !bytes.Equal(must(MySQL(im)), []byte(text)) {
		t.Error("rendered twice, two texts")
	}
}

func TestTrap16And23Duplicates(t *testing.T) {
	im := sample(t)
	twice := im.Rows[0]
	twice.Type = Authentication
	im.Rows = append(im.Rows, twice)
	wantUnfit(t, errOf(MySQL(im)), "twice")

	im = sample(t)
	im.Removed[0].Thumbprint = im.Rows[0].Thumbprint
	if _, err := MySQL(im); err == nil {
		t.Error("a certificate both held and removed is rendered")
	}
}

// Nothing that is not of a known shape is rendered: there is nothing to inject with.
func TestRefusesToRender(t *testing.T) {
	const inject = "x'); DROP TABLE certificate; -- "
	for name, change := range map[string]func(*Import){
		"list id":                   func(im *Import) { im.ListID = inject },
		"list id empty":             func(im *Import) { im.ListID = "" },
		"list id with a line":       func(im *Import) { im.ListID = "a\nDROP TABLE certificate;" },
		"list id with a line after": func(im *Import) { im.ListID = "a\n" },
		"list id that is a place":   func(im *Import) { im.ListID = "{{rows}}" },
		"environment":               func(im *Import) { im.Environment = inject },
		"environment with a line":   func(im *Import) { im.Environment = "a\nb" },
		"time with fractions":       func(im *Import) { im.CreatedAt = day.Add(time.Millisecond) },
		"time long ago":             func(im *Import) { im.CreatedAt = time.Time{} },
		"year of five digits":       func(im *Import) { im.Rows[0].CreatedAt = day.AddDate(9000, 0, 0) },
		"thumbprint":                func(im *Import) { im.Rows[0].Thumbprint = inject },
		"thumbprint too long":       func(im *Import) { im.Rows[0].Thumbprint += "0" },
		"thumbprint upper case":     func(im *Import) { im.Rows[0].Thumbprint = strings.ToUpper(im.Rows[0].Thumbprint) },
		"thumbprint of another":     func(im *Import) { im.Rows[0].Thumbprint = strings.Repeat("a", 64) },
		"country":                   func(im *Import) { im.Rows[0].Country = "'-" },
		"country of another":        func(im *Import) { im.Rows[0].Country = "FR" },
		"type":                      func(im *Import) { im.Rows[0].Type = inject },
		"revoked":                   func(im *Import) { im.Rows[0].Revoked = true },
		"signature":                 func(im *Import) { im.Rows[0].Signature = inject },
		"signature with quote":      func(im *Import) { im.Rows[0].Signature += "'" },
		"signature wrapped":         func(im *Import) { im.Rows[0].Signature = "YWJj\nYWJj" },
		"signature too long":        func(im *Import) { im.Rows[0].Signature = strings.Repeat("YWJj", 173) },
		"raw data":                  func(im *Import) { im.Rows[0].RawData += inject },
		"raw data before":           func(im *Import) { im.Rows[0].RawData = inject + im.Rows[0].RawData },
		"raw data CRLF":             func(im *Import) { im.Rows[0].RawData = crlf(im.Rows[0].RawData) },
		"raw data with header": func(im *Import) {
			im.Rows[0].RawData = strings.Replace(im.Rows[0].RawData, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1)
		},
		"removed thumbprint": func(im *Import) { im.Removed[0].Thumbprint = inject },
		"removed country":    func(im *Import) { im.Removed[0].Country = "d'" },
		"removed type":       func(im *Import) { im.Removed[0].Type = inject },
		"reason too long":    func(im *Import) { im.Removed[0].Reason = strings.Repeat("x", 257) },
		"reason not UTF-8":   func(im *Import) { im.Removed[0].Reason = "\xff" },
	} {
		t.Run(name, func(t *testing.T) {
			im := sample(t)
			change(&im)
			if _, err := MySQL(im); err == nil {
				t.Error("MySQL renders it")
			}
			if _, err := RowsJSON(im); err == nil {
				t.Error("RowsJSON renders it")
			}
		})
	}
	im := sample(t)
	im.Rows[0].Signature = strings.Repeat("YWJj", 172) // 688 characters: the longest that fit
	if _, err := MySQL(im); err != nil {
		t.Error(err)
	}
}

// The reason is free text of the operator: it is written so that it cannot leave its quotes.
func TestReasonIsEncoded(t *testing.T) {
	for _, reason := range []string{
		"", "key-compromise", "it's", `a\b`, "100%", "a;b", "`", `"`, "line\nend", "a\r\n\\g", "Schlüssel 🔑", "%27", "x'); DROP TABLE certificate; -- ",
		strings.Repeat("'", maxReason),
	} {
		im := sample(t)
		im.Removed[0].Reason = reason
		sql, err := MySQL(im)
		if err != nil {
			t.Fatalf("%q: %v", reason, err)
		}
		_, tuple, _ := strings.Cut(string(sql), insertRemoved)
		tuple, _, _ = strings.Cut(tuple, "\n")
		if strings.Count(tuple, "'") != 8 || strings.ContainsAny(tuple, "\\`\"") || strings.Count(tuple, ";") != 1 {
			t.Errorf("%q is written as %s", reason, tuple)
		}
		back, err := ParseMySQL(sql)
		if err != nil {
			t.Fatalf("%q: %v", reason, err)
		}
		if got := back.Removed[0].Reason; got != reason {
			t.Errorf("%q read back as %q", reason, got)
		}
	}
}

func TestParseMySQLRefuses(t *testing.T) {
	im := sample(t)
	good := string(must(MySQL(im)))
	replace := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the script", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, text := range map[string]string{
		"empty":                      "",
		"statement after":            good + "UPDATE certificate SET revoked = FALSE;\n",
		"comment after":              good + "-- \n",
		"cut off":                    good[:len(good)-1],
		"statement before":           "SET @a = 1;\n" + good,
		"statement among the data":   replace(insertRow, "UPDATE certificate SET revoked = FALSE;\n"+insertRow),
		"another sql_mode":           replace("'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES'", "''"),
		"guard dropped":              replace("CASE WHEN COUNT(*) = 0 THEN 1 END", "1"),
		"CRLF":                       crlf(good),
		"row count":                  replace("-- rows: 2", "-- rows: 3"),
		"sequence with a sign":       replace("-- sequence: 7", "-- sequence: +7"),
		"sequence with a zero":       replace("-- sequence: 7", "-- sequence: 07"),
		"time in another zone":       replace("2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00"),
		"country of another":         replace("'DE', 'SIGNING'", "'FR', 'SIGNING'"),
		"type swapped":               replace("'DE', 'SIGNING'", "'DE', 'CALLBACK'"),
		"hash of another text":       replace(sha256Hex(im.Rows[0].RawData), sha256Hex("x")),
		"other spacing":              replace("('"+im.Rows[0].Thumbprint, "( '"+im.Rows[0].Thumbprint),
		"reason spelled differently": replace("'key-compromise'", "'key%2Dcompromise'"),
		"reason that ends early":     replace("'key-compromise'", "'key%2'"),
		"reason not hexadecimal":     replace("'key-compromise'", "'key%+1'"),
		"only the header":            good[:strings.Index(good, "-- rows:")],
		"tuple without an end":       good[:strings.Index(good, "-----END")],
		"too large":                  good + strings.Repeat(" ", MaxImport),
	} {
		if _, err := ParseMySQL([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestParseRowsJSONRefuses(t *testing.T) {
	good := string(must(RowsJSON(sample(t))))
	for name, text := range map[string]string{
		"empty":         "",
		"null":          "null",
		"trailing data": good + "{}\n",
		"compact":       compact(t, good),
		"duplicate key": strings.Replace(good, `"sequence": 7,`, `"sequence": 8,`+"\n  "+`"sequence": 7,`, 1),
		"unknown field": strings.Replace(good, `"sequence": 7,`, `"sequence": 7,`+"\n  "+`"extra": 1,`, 1),
		"other case":    strings.Replace(good, `"sequence"`, `"Sequence"`, 1),
		"other schema":  strings.Replace(good, RowsSchema, "efgsta.gateway-rows/v2", 1),
		"revoked row":   strings.Replace(good, `"revoked": false`, `"revoked": true`, 1),
		"null rows":     string(must(json.MarshalIndent(map[string]any{"schema": RowsSchema}, "", "  "))) + "\n",
		"other zone":    strings.Replace(good, "2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", 1),
		"no time":       strings.Replace(good, "2026-03-01T12:00:00Z", "yesterday", 1),
		"too large":     good + strings.Repeat(" ", MaxImport),
	} {
		if text == good {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := ParseRowsJSON([]byte(text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func compact(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(s)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWhitelist(t *testing.T) {
	nbtls := []*cert.Certificate{issue(t, cn("<x> & \u202e"), c("NL")), issue(t, c("DE"), cn("y"))}
	text := WhitelistPEM(nbtls)
	if want := string(nbtls[0].PEM()) + string(nbtls[1].PEM()); string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if len(WhitelistPEM(nil)) != 0 {
		t.Error("an empty whitelist has text")
	}
	im := sample(t)
	var got struct {
		Schema, ListID, Environment, CreatedAt string
		Sequence                               uint64
		Certificates                           []struct{ Thumbprint, Country, Subject, NotBefore, NotAfter string }
	}
	if err := json.Unmarshal(must(WhitelistJSON(im, nbtls)), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != WhitelistSchema || got.Sequence != 7 || got.ListID != "efgs" || got.Environment != "rehearsal" || got.CreatedAt != "2026-03-01T12:00:00Z" {
		t.Errorf("header %+v", got)
	}
	if len(got.Certificates) != 2 || got.Certificates[0].Country != "NL" || got.Certificates[0].Thumbprint != nbtls[0].Thumbprint().String() ||
		got.Certificates[0].Subject != nbtls[0].Subject.String() || got.Certificates[0].NotBefore != "2026-02-01T12:00:00Z" || got.Certificates[0].NotAfter != "2027-03-01T12:00:00Z" {
		t.Errorf("certificates %+v", got.Certificates)
	}
	if empty := must(WhitelistJSON(im, nil)); !strings.Contains(string(empty), `"certificates": []`) {
		t.Errorf("empty whitelist is %s", empty)
	}
	wantUnfit(t, errOf(WhitelistJSON(im, []*cert.Certificate{issue(t, o("no country"))})), "no C")
}

func TestImportGuide(t *testing.T) {
	guide := string(ImportGuide(sample(t)))
	if strings.Contains(guide, "{{") {
		t.Error("a place was left unfilled")
	}
	// Every message that the script can stop with is explained.
	script := string(must(MySQL(sample(t))))
	for _, m := range regexp.MustCompile("`([a-z_A-Z]*)` INT NOT NULL").FindAllStringSubmatch(script, -1) {
		found := false
		for _, named := range regexp.MustCompile("error 1048 `([a-z_]*)").FindAllStringSubmatch(guide, -1) {
			found = found || strings.HasPrefix(m[1], named[1])
		}
		if !found {
			t.Errorf("the guide does not explain %s", m[1])
		}
	}
	for _, want := range []string{"--force", "gateway-000007.tar", "restart", "SELECT"} {
		if !strings.Contains(guide, want) {
			t.Errorf("the guide does not say %q", want)
		}
	}
}

func errOf(_ []byte, err error) error { return err }

func FuzzParseMySQL(f *testing.F) {
	im := sample(f)
	f.Add(must(MySQL(im)))
	im.Removed[0].Reason = "it's"
	f.Add(must(MySQL(Import{ListID: "a", Environment: "b", CreatedAt: day, Removed: im.Removed})))
	f.Add([]byte("\n-- list: a\n-- environment: b\n-- sequence: 1\n-- created: 2026-03-01T12:00:00Z\n-- rows: " + insertRow + "('"))
	f.Fuzz(func(t *testing.T, sql []byte) {
		im, err := ParseMySQL(sql)
		if err != nil {
			return
		}
		if again, err := MySQL(im); err != nil || !bytes.Equal(again, sql) {
			t.Errorf("accepted, but renders differently: %v", err)
		}
	})
}

func FuzzParseRowsJSON(f *testing.F) {
	im := sample(f)
	f.Add(must(RowsJSON(im)))
	f.Add(must(RowsJSON(Import{ListID: "a", Environment: "b", CreatedAt: day})))
	f.Add([]byte(`{"schema":"efgsta.gateway-rows/v1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		im, err := ParseRowsJSON(data)
		if err != nil {
			return
		}
		if again, err := RowsJSON(im); err != nil || !bytes.Equal(again, data) {
			t.Errorf("accepted, but renders differently: %v", err)
		}
	})
}
