package file

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"imip-agent/stores"
	"imip-agent/stores/storestest"
	"imip-agent/tests/skip"
)

// Root's own rights do not help with an immutable file: the error says what does.
func TestImmutable(t *testing.T) {
	s := openTest(t)
	put := func(summary string) error {
		return s.Update(bg, paul, func(tx stores.Tx) error {
			return tx.Put(stores.Key{ID: stores.ID{UID: "u"}}, storestest.Event("u", "", summary))
		})
	}
	if err := put("before"); err != nil {
		t.Fatal(err)
	}
	path := userDir(t, s) + "/objects/u"
	if err := exec.Command("chattr", "+i", path).Run(); err != nil {
		skip.Because(t, "no file can be made immutable here: %v", err)
	}
	t.Cleanup(func() {
		if err := exec.Command("chattr", "-i", path).Run(); err != nil {
			t.Error(err)
		}
	})
	err := put("after")
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "chattr -i") || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}
