package testenv

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"syscall"
)

// program returns the path of a program that others have written, and builds it when
// it is not there. Two test programs that want it at once build it once.
func program(ctx context.Context, of, version string) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	name := path.Base(of)
	bin := filepath.Join(root, "bin")
	at := filepath.Join(bin, name+"-"+version)
	if err := os.MkdirAll(bin, 0o750); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(at+".lock", os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- a fixed name
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("wait for another build of %s: %w", name, err)
	}
	if _, err := os.Stat(at); err == nil {
		return at, nil
	}
	fresh, err := os.MkdirTemp(bin, name+"-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	cmd := exec.CommandContext(ctx, "go", "install", of+"@"+version) // #nosec G204 -- fixed names
	cmd.Dir, cmd.Env = fresh, append(os.Environ(), "GOBIN="+fresh, "GOWORK=off", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install %s: %w\n%s", name, err, text)
	}
	return at, os.Rename(filepath.Join(fresh, name), at)
}
