//go:build conformance

package conformance

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/release/gateway"
)

// importSQL runs a script as IMPORT.md says.
func (db database) importSQL(t *testing.T, name string, sql []byte, args ...string) result {
	t.Helper()
	return db.client(t, sql, append(append([]string{"--default-character-set=utf8mb4"}, args...), name)...)
}

func (db database) mustImport(t *testing.T, name string, sql []byte, inserted, signedAgain, revoked int) result {
	t.Helper()
	r := db.importSQL(t, name, sql)
	want := fmt.Sprintf("import complete\t%d\t%d\t%d\n", inserted, signedAgain, revoked)
	if r.code != 0 || !strings.HasSuffix(r.stdout, want) {
		t.Fatalf("import: exit %d, want %q\n%s%s", r.code, want, r.stdout, r.stderr)
	}
	return r
}

func render(t *testing.T, im gateway.Import) []byte {
	t.Helper()
	sql, err := gateway.MySQL(im)
	if err != nil {
		t.Fatal(err)
	}
	return sql
}

// wantRows compares the table with rows, byte for byte.
func (db database) wantRows(t *testing.T, name string, rows []gateway.Row) {
	t.Helper()
	got := db.exec(t, name, `SELECT HEX(CONVERT(thumbprint USING utf8mb4)), HEX(CONVERT(country USING utf8mb4)), HEX(CONVERT(type USING utf8mb4)), revoked + 0,
  HEX(CONVERT(signature USING utf8mb4)), HEX(CONVERT(raw_data USING utf8mb4)), created_at, host FROM certificate ORDER BY country, type, thumbprint;`)
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b gateway.Row) int {
		return cmp.Or(strings.Compare(a.Country, b.Country), strings.Compare(a.Type, b.Type), strings.Compare(a.Thumbprint, b.Thumbprint))
	})
	var want []string
	for _, r := range rows {
		x := func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }
		revoked := "0"
		if r.Revoked {
			revoked = "1"
		}
		want = append(want, strings.Join([]string{x(r.Thumbprint), x(r.Country), x(r.Type), revoked,
			x(r.Signature), x(r.RawData), r.CreatedAt.Format("2006-01-02 15:04:05.00"), "NULL"}, "\t"))
	}
	if got != strings.Join(want, "\n")+"\n" {
		t.Errorf("table holds\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestMariaDB(t *testing.T) {
	db := startDatabase(t)
	anchor := newAnchor(t, p256Key(), x509.ECDSAWithSHA256, crypto.SHA256)
	de, fr, it := leaf(t, "DE", ""), leaf(t, "FR", ""), leaf(t, "IT", "0e")
	rowsAt := func(at time.Time) []gateway.Row {
		return []gateway.Row{
			anchor.row(t, de, gateway.Signing, at),
			anchor.row(t, fr, gateway.Authentication, at),
			anchor.row(t, it, gateway.Signing, at),
		}
	}
	release := func(sequence uint64, rows []gateway.Row, removed ...gateway.Removed) gateway.Import {
		return gateway.Import{
			ListID: "efgs", Environment: "production", Sequence: sequence,
			CreatedAt: day.Add(time.Duration(sequence) * time.Hour), Rows: rows, Removed: removed,
		}
	}
	remove := func(r gateway.Row, reason string) gateway.Removed {
		return gateway.Removed{Thumbprint: r.Thumbprint, Country: r.Country, Type: r.Type, Reason: reason}
	}
	rows := rowsAt(day)
	first := render(t, release(1, rows))

	t.Run("import, read back, import again", func(t *testing.T) {
		for _, charset := range []string{"utf8mb4", "latin1", "utf8mb4 COLLATE utf8mb4_bin", "utf16"} {
			for _, revoked := range []string{"BIT(1)", "TINYINT(1)"} {
				t.Run(charset+" "+revoked, func(t *testing.T) {
					how := usual
					how.charset, how.revoked = charset, revoked
					name := db.create(t, how)
					db.mustImport(t, name, first, 3, 0, 0)
					db.wantRows(t, name, rows)
					before := db.dump(t, name)
					db.mustImport(t, name, first, 0, 0, 0)
					if after := db.dump(t, name); after != before {
						t.Errorf("the second import changed\n%s\nto\n%s", before, after)
					}
				})
			}
		}
	})

	t.Run("sign again, revoked online, removed, older file", func(t *testing.T) {
		name := db.create(t, usual)
		db.mustImport(t, name, first, 3, 0, 0)
		db.exec(t, name, "UPDATE certificate SET revoked = TRUE WHERE thumbprint = '"+rows[1].Thumbprint+"';")
		again := rowsAt(day.AddDate(0, 1, 0)) // ECDSA: other signatures over the same text
		r := db.mustImport(t, name, render(t, release(2, again)), 0, 2, 0)
		if !strings.Contains(r.stdout, "revoked in the table, left as it is") || !strings.Contains(r.stdout, rows[1].Thumbprint) {
			t.Errorf("the row revoked online is not reported:\n%s", r.stdout)
		}
		frozen := rows[1]
		frozen.Revoked = true
		db.wantRows(t, name, []gateway.Row{again[0], frozen, again[2]})

		before := db.dump(t, name)
		old := db.importSQL(t, name, first)
		if old.code == 0 || !strings.Contains(old.stderr, "a_row_was_signed_after_this_file") {
			t.Errorf("older release: exit %d\n%s", old.code, old.stderr)
		}
		if db.dump(t, name) != before {
			t.Error("an older release changed the table")
		}

		third := render(t, release(3, again[1:], remove(again[0], "it's key-compromise; ü")))
		db.mustImport(t, name, third, 0, 0, 1)
		gone := again[0]
		gone.Revoked = true
		want := []gateway.Row{gone, frozen, again[2]}
		db.wantRows(t, name, want)
		db.mustImport(t, name, third, 0, 0, 0)
		// The second release holds what the third removed: it does not come back.
		db.mustImport(t, name, render(t, release(2, again)), 0, 0, 0)
		db.wantRows(t, name, want)
	})

	// An RSA key signs the same text to the same bytes: only the time tells releases apart.
	t.Run("older file after a newer, the same signatures", func(t *testing.T) {
		later := slices.Clone(rows[1:])
		for i := range later {
			later[i].CreatedAt = day.AddDate(0, 1, 0)
		}
		name := db.create(t, usual)
		db.mustImport(t, name, render(t, release(2, later, remove(rows[0], "expired"))), 2, 0, 1)
		before := db.dump(t, name)
		if old := db.importSQL(t, name, first); old.code == 0 || !strings.Contains(old.stderr, "a_row_was_signed_after_this_file") {
			t.Errorf("older release: exit %d\n%s", old.code, old.stderr)
		}
		if db.dump(t, name) != before {
			t.Error("an older release changed the table")
		}
		// Nothing in common but the removed certificate: it stays revoked.
		name = db.create(t, usual)
		db.mustImport(t, name, render(t, release(2, nil, remove(rows[0], "expired"))), 0, 0, 1)
		db.mustImport(t, name, render(t, release(2, nil, remove(rows[0], "expired"))), 0, 0, 0)
		db.mustImport(t, name, render(t, release(1, rows[:1])), 0, 0, 0)
		if got := db.exec(t, name, "SELECT revoked + 0 FROM certificate;"); got != "1\n" {
			t.Errorf("a removed certificate came back: revoked is %q", got)
		}
	})

	t.Run("removal finds other spellings", func(t *testing.T) {
		for _, spelling := range []string{strings.ToUpper(rows[2].Thumbprint), strings.TrimLeft(rows[2].Thumbprint, "0"), rows[2].Thumbprint} {
			for _, revoked := range []string{"FALSE", "NULL"} {
				name := db.create(t, usual)
				db.exec(t, name, insert(spelling, "it", "signing", revoked))
				db.mustImport(t, name, render(t, release(1, nil, remove(rows[2], "expired"))), 0, 0, 1)
				if got := db.exec(t, name, "SELECT revoked + 0 FROM certificate;"); got != "1\n" {
					t.Errorf("%s, revoked %s: revoked is now %s", spelling, revoked, got)
				}
			}
		}
	})

	t.Run("other rows are left alone", func(t *testing.T) {
		name := db.create(t, usual)
		db.exec(t, name, insert(strings.Repeat("a", 64), "XX", "CALLBACK", "FALSE")+insert(strings.Repeat("b", 64), "DE", "SIGNING", "NULL"))
		before := db.dump(t, name)
		db.mustImport(t, name, first, 3, 0, 0)
		if after := db.dump(t, name); !strings.HasPrefix(after, before) {
			t.Errorf("rows of others changed from\n%s\nto\n%s", before, after)
		}
	})

	t.Run("conflicts", func(t *testing.T) {
		tp := rows[2].Thumbprint
		for conflict, statement := range map[string]string{
			"other country":            insert(tp, "FR", "SIGNING", "FALSE"),
			"other type":               insert(tp, "IT", "AUTHENTICATION", "FALSE"),
			"lower-case country":       insert(tp, "it", "SIGNING", "FALSE"),
			"country with a space":     insert(tp, "I ", "SIGNING", "FALSE"),
			"type with a space":        insert(tp, "IT", "SIGNING ", "FALSE"),
			"lower-case type":          insert(tp, "IT", "signing", "FALSE"),
			"revoked is NULL":          insert(tp, "IT", "SIGNING", "NULL"),
			"upper-case thumbprint":    insert(strings.ToUpper(tp), "IT", "SIGNING", "FALSE"),
			"stripped thumbprint":      insert(strings.TrimLeft(tp, "0"), "IT", "SIGNING", "FALSE"),
			"stripped with a space":    insert(strings.TrimLeft(tp, "0")+" ", "IT", "SIGNING", "FALSE"),
			"revoked under other type": insert(tp, "IT", "AUTHENTICATION", "TRUE"),
		} {
			t.Run(conflict, func(t *testing.T) {
				name := db.create(t, usual)
				db.exec(t, name, statement)
				r := db.refuses(t, name, first, "a_row_is_in_conflict_see_above_and_IMPORT_md")
				if !strings.Contains(r.stdout, "conflict\t1\t") {
					t.Errorf("the conflict is not shown:\n%s", r.stdout)
				}
			})
		}
	})

	t.Run("a table that does not keep what it is given", func(t *testing.T) {
		// A server that truncates without an error, and tables that invite it to.
		mode := db.exec(t, "", "SELECT @@GLOBAL.sql_mode;")
		db.exec(t, "", "SET GLOBAL sql_mode = '';")
		defer db.exec(t, "", "SET GLOBAL sql_mode = '"+strings.TrimSpace(mode)+"';")
		for problem, change := range map[string]string{
			"short raw_data":     "ALTER TABLE certificate MODIFY raw_data VARCHAR(100);",
			"short signature":    "ALTER TABLE certificate MODIFY signature VARCHAR(50);",
			"short thumbprint":   "ALTER TABLE certificate MODIFY thumbprint VARCHAR(60) NOT NULL;",
			"type as an enum":    "ALTER TABLE certificate MODIFY type ENUM('AUTHENTICATION') NOT NULL;",
			"trigger on country": "CREATE TRIGGER tr BEFORE INSERT ON certificate FOR EACH ROW SET NEW.country = LOWER(NEW.country);",
			"triggers on text": "CREATE TRIGGER t1 BEFORE INSERT ON certificate FOR EACH ROW SET NEW.raw_data = CONCAT(NEW.raw_data, ' ');" +
				"CREATE TRIGGER t2 BEFORE UPDATE ON certificate FOR EACH ROW SET NEW.raw_data = CONCAT(NEW.raw_data, ' ');",
			"only a view": "RENAME TABLE certificate TO certificates; CREATE VIEW certificate AS SELECT * FROM certificates;",
		} {
			t.Run(problem, func(t *testing.T) {
				name := db.create(t, usual)
				db.exec(t, name, insert(strings.Repeat("a", 50), "XX", "AUTHENTICATION", "FALSE")+change)
				db.refuses(t, name, first, "")
			})
		}
		name := db.create(t, usual)
		db.mustImport(t, name, first, 3, 0, 0)
		db.wantRows(t, name, rows)
	})

	t.Run("a table that cannot roll back", func(t *testing.T) {
		how := usual
		how.engine = "MyISAM"
		db.refuses(t, db.create(t, how), first, "no_table_certificate_here_with_an_engine_that_can_roll_back")
	})

	t.Run("a file that was changed", func(t *testing.T) {
		name := db.create(t, usual)
		const guard = "this_file_was_changed_on_its_way_here"
		db.refuses(t, name, []byte(strings.Replace(string(first), "-----END", "-----end", 1)), guard)
		db.refuses(t, name, []byte(strings.Replace(string(first), rows[0].Signature, "A"+rows[0].Signature[1:], 1)), guard)
		// Line ends of another system: the client mends them, or with its binary mode does not.
		crlf := []byte(strings.ReplaceAll(string(first), "\n", "\r\n"))
		db.refuses(t, name, crlf, guard, "--binary-mode")
		db.mustImport(t, name, crlf, 3, 0, 0)
		db.wantRows(t, name, rows)
	})

	t.Run("a connection that ends in the middle", func(t *testing.T) {
		name := db.create(t, usual)
		head, _, found := strings.Cut(string(first), "PREPARE efgsta_end")
		if !found {
			t.Fatal("the script has no PREPARE")
		}
		if r := db.importSQL(t, name, []byte(head)); r.code != 0 {
			t.Fatal(r.stderr)
		}
		if got := db.dump(t, name); got != "" {
			t.Errorf("table holds\n%s", got)
		}
		// The client connects again by itself: the rest finds no temporary tables and does nothing.
		_, rest, _ := strings.Cut(string(first), "-- 4. The changes.")
		db.importSQL(t, name, []byte("-- "+rest), "--force")
		if got := db.dump(t, name); got != "" {
			t.Errorf("table holds\n%s", got)
		}
	})

	t.Run("no more privileges than IMPORT.md names", func(t *testing.T) {
		name := db.create(t, usual)
		user := "u" + name
		db.exec(t, "", fmt.Sprintf(`CREATE USER %[1]s@localhost IDENTIFIED BY 'x';
GRANT SELECT, INSERT, UPDATE ON %[2]s.certificate TO %[1]s@localhost;
GRANT CREATE TEMPORARY TABLES ON %[2]s.* TO %[1]s@localhost;`, user, name))
		r := try(t, first, "mariadb", "--no-defaults", "--socket="+db.socket, "--user="+user, "--password=x", name)
		if r.code != 0 || !strings.Contains(r.stdout, "import complete\t3\t0\t0") {
			t.Errorf("exit %d\n%s%s", r.code, r.stdout, r.stderr)
		}
		db.wantRows(t, name, rows)
	})

	t.Run("the OpenSSL lines of IMPORT.md", func(t *testing.T) {
		name := db.create(t, usual)
		db.mustImport(t, name, first, 3, 0, 0)
		dir := t.TempDir()
		column := func(c string) []byte {
			return []byte(db.client(t, nil, "-N", "--raw", "-e", "SELECT "+c+" FROM certificate WHERE thumbprint = '"+rows[0].Thumbprint+"'", name).stdout)
		}
		write(t, dir, "efgsta.pem", anchor.cert.PEM())
		write(t, dir, "raw", column("raw_data"))
		write(t, dir, "sig", column("signature"))
		run(t, "sh", "-ec", `cd "$1"
sed '/^$/d' <raw >row.pem
base64 -d <sig >row.sig
openssl x509 -in efgsta.pem -noout -pubkey >efgsta.pub
openssl dgst -sha256 -verify efgsta.pub -signature row.sig row.pem`, "sh", dir)
	})
}

// refuses demands that an import ends with an error, names the guard, and leaves
// every row as it was, also with a client that goes on after errors.
func (db database) refuses(t *testing.T, name string, sql []byte, guard string, args ...string) result {
	t.Helper()
	before := db.dump(t, name)
	r := db.importSQL(t, name, sql, args...)
	if r.code == 0 || !strings.Contains(r.stderr, guard) || strings.Contains(r.stdout, "import complete") {
		t.Errorf("exit %d, want an error naming %q\n%s%s", r.code, guard, r.stdout, r.stderr)
	}
	if after := db.dump(t, name); after != before {
		t.Errorf("the refused import changed\n%s\nto\n%s", before, after)
	}
	forced := db.importSQL(t, name, sql, append(args, "--force")...)
	if after := db.dump(t, name); after != before {
		t.Errorf("the import with --force changed\n%s\nto\n%s\n%s", before, after, forced.stdout)
	}
	return r
}

// insert is a row that somebody else put into the table.
func insert(thumbprint, country, typ, revoked string) string {
	return fmt.Sprintf("INSERT INTO certificate (created_at, thumbprint, country, type, revoked, signature, raw_data) VALUES ('2020-10-01 00:00:00', '%s', '%s', '%s', %s, 'c2ln', 'PEM');\n",
		thumbprint, country, typ, revoked)
}
