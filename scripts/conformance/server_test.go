//go:build conformance

package conformance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// database is a MariaDB server of the test's own: own data directory, a Unix
// socket and no network, gone when the test ends, however it ends.
type database struct {
	socket string
}

func startDatabase(t *testing.T) database {
	t.Helper()
	// Not t.TempDir: a socket's path may have 107 bytes.
	dir, err := os.MkdirTemp("", "efgsta-db")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	data, socket, errorLog := filepath.Join(dir, "data"), filepath.Join(dir, "s"), filepath.Join(dir, "log")
	common := []string{"--no-defaults", "--datadir=" + data}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root") // without, it refuses to run as root
	}
	run(t, "mariadb-install-db", append(common, "--auth-root-authentication-method=normal", "--skip-test-db")...)

	cmd := exec.Command(tool(t, "mariadbd"), append(common, "--socket="+socket,
		"--skip-networking", "--pid-file="+filepath.Join(dir, "pid"), "--innodb-buffer-pool-size=32M")...)
	log, err := os.Create(errorLog)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	dieWithTest(cmd)

	started, ended := make(chan error, 1), make(chan error, 1)
	go func() {
		// The death signal is tied to the thread that starts the server.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			ended <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			cmd.Process.Kill()
			<-ended
			t.Error("mariadbd had to be killed")
		}
	})

	db := database{socket}
	deadline := time.Now().Add(30 * time.Second)
	for db.client(t, nil, "-e", "SELECT 1").code != 0 {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("mariadbd ended: %v\n%s", err, read(t, errorLog))
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("mariadbd does not answer:\n%s", read(t, errorLog))
		}
	}
	return db
}

// client runs the mariadb client over standard input.
func (db database) client(t *testing.T, stdin []byte, args ...string) result {
	t.Helper()
	return try(t, stdin, "mariadb", append([]string{"--no-defaults", "--socket=" + db.socket, "--user=root"}, args...)...)
}

// exec runs SQL that has to succeed and returns what it prints, without headings.
func (db database) exec(t *testing.T, name, sql string) string {
	t.Helper()
	args := []string{"--batch", "--skip-column-names"}
	if name != "" {
		args = append(args, name)
	}
	r := db.client(t, []byte(sql), args...)
	if r.code != 0 {
		t.Fatalf("%s\n%s", sql, r.stderr)
	}
	return r.stdout
}

// table is how a gateway's table may have been made.
type table struct {
	charset string // of the database
	revoked string // type of the column
	engine  string
}

var usual = table{"utf8mb4", "BIT(1)", "InnoDB"}

// create makes an empty database with the gateway's table in it.
func (db database) create(t *testing.T, how table) string {
	t.Helper()
	name := fmt.Sprintf("g%d", time.Now().UnixNano())
	db.exec(t, "", fmt.Sprintf(`CREATE DATABASE %s CHARACTER SET %s;
USE %s;
CREATE TABLE certificate (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  created_at DATETIME(2) NOT NULL,
  thumbprint VARCHAR(64) NOT NULL UNIQUE,
  country VARCHAR(2) NOT NULL,
  type VARCHAR(14) NOT NULL,
  revoked %s,
  host VARCHAR(256),
  signature VARCHAR(690),
  raw_data VARCHAR(10240)
) ENGINE=%s;`, name, how.charset, name, how.revoked, how.engine))
	return name
}

// dump is the whole table, in a form in which any change of a byte shows.
func (db database) dump(t *testing.T, name string) string {
	t.Helper()
	return db.exec(t, name, `SELECT id, created_at, HEX(thumbprint), HEX(country), HEX(type), revoked + 0, host, SHA2(CAST(signature AS BINARY), 256), SHA2(CAST(raw_data AS BINARY), 256)
FROM certificate ORDER BY id;`)
}
