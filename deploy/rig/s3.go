package rig

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// s3Version is the S3 server that the tests run: it checks signatures and keeps
// the conditions of conditional writes.
const s3Version = "v1.8.0"

// S3 is a real S3 server with an empty bucket, its objects below one folder.
type S3 struct {
	*Process
	URL       string
	Bucket    string
	AccessKey string
	SecretKey string
}

// StartS3 starts the server on a free port. The first time on a machine it is
// built into the repository's bin folder, which takes minutes.
func StartS3(ctx context.Context, dir string) (*S3, error) {
	path, err := s3Program(ctx)
	if err != nil {
		return nil, err
	}
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	s := &S3{URL: "http://" + addr, Bucket: "loongclaw", AccessKey: "an-access-key", SecretKey: "a-secret-key-for-tests"}
	// A folder below the server's root is a bucket.
	root := filepath.Join(dir, "s3")
	if err := os.MkdirAll(filepath.Join(root, s.Bucket), 0o750); err != nil {
		return nil, err
	}
	s.Process, err = Start(path, dir, map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": dir, "TMPDIR": os.TempDir(),
		"ROOT_ACCESS_KEY": s.AccessKey, "ROOT_SECRET_KEY": s.SecretKey,
	}, "--port", addr, "--quiet", "posix", root)
	if err != nil {
		return nil, err
	}
	if err := s.listens(ctx, addr); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// Env points an agent at the bucket. endpoint is the server's own URL, or that
// of a proxy before it.
func (s *S3) Env(endpoint string) map[string]string {
	return map[string]string{
		"STORE": "r2:" + s.Bucket, "R2_ENDPOINT": endpoint,
		"R2_ACCESS_KEY_ID": s.AccessKey, "R2_SECRET_ACCESS_KEY": s.SecretKey,
	}
}

func (s *S3) listens(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-s.Done():
			return fmt.Errorf("the S3 server ended with code %d (it needs a file system with extended attributes: set TMPDIR to one):\n%s", s.ExitCode(), s.Log())
		case <-ctx.Done():
			return fmt.Errorf("the S3 server does not listen at %s: %w\n%s", addr, ctx.Err(), s.Log())
		}
	}
}

// s3Program gives the server's path, and builds it when it is not there. Two
// test programs that want it at once build it once.
func s3Program(ctx context.Context) (string, error) {
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	bin := filepath.Join(root, "bin")
	path := filepath.Join(bin, "versitygw-"+s3Version)
	if err := os.MkdirAll(bin, 0o750); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600) // #nosec G304 -- a fixed name
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("wait for another build of the S3 server: %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	fresh, err := os.MkdirTemp(bin, "versitygw-")
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(fresh) }()
	cmd := exec.CommandContext(ctx, "go", "install", "github.com/versity/versitygw/cmd/versitygw@"+s3Version)
	cmd.Dir, cmd.Env = fresh, append(os.Environ(), "GOBIN="+fresh, "GOWORK=off", "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install versitygw: %w\n%s", err, text)
	}
	return path, os.Rename(filepath.Join(fresh, "versitygw"), path)
}
