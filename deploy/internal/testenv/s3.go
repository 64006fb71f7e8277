package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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

// S3Program gives the path of the S3 server.
func S3Program(ctx context.Context) (string, error) {
	return program(ctx, "github.com/versity/versitygw/cmd/versitygw", s3Version)
}

// StartS3 starts the server on a free port. The first time on a machine it is
// built into the repository's bin folder, which takes minutes.
func StartS3(ctx context.Context, dir string) (*S3, error) {
	path, err := S3Program(ctx)
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
	if err := s.listens(ctx, addr, readyTime); err != nil {
		s.Kill()
		return nil, fmt.Errorf("the S3 server (it needs a file system with extended attributes: set TMPDIR to one): %w", err)
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
