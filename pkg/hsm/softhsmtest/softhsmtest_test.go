package softhsmtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestEachStoreHasItsOwnTokens(t *testing.T) {
	one := New(t)
	one.Token(t, "ONE")
	two, err := Make(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	two.Token(t, "TWO")
	for _, c := range []struct {
		store       *Store
		has, misses string
	}{{one, "ONE", "TWO"}, {two, "TWO", "ONE"}} {
		cmd := exec.Command("softhsm2-util", "--show-slots")
		cmd.Env = append(os.Environ(), EnvConf+"="+c.store.Conf)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(out), c.has) || strings.Contains(string(out), c.misses) {
			t.Errorf("slots of %s:\n%s", c.has, out)
		}
	}
	if os.Getenv(EnvConf) != one.Conf {
		t.Error("this process is pointed elsewhere")
	}
}

func TestMissingToolSaysWhatToDo(t *testing.T) {
	store := New(t)
	t.Setenv("PATH", t.TempDir())
	if err := store.Init("EFGSTA"); err == nil || !strings.Contains(err.Error(), "run `make test-deps`") {
		t.Errorf("got %v", err)
	}
}
