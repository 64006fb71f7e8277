package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
)

// storeConfig is STORE and what goes with it.
type storeConfig struct {
	dir string
	s3  r2.Config
}

// parseStore reads STORE: disk:DIRECTORY or r2:BUCKET.
func (c *config) parseStore(bad func(format string, args ...any)) {
	kind, name, _ := strings.Cut(c.Store, ":")
	switch {
	case kind == "disk" && name != "":
		c.store.dir = name
	case kind == "r2" && name != "":
		c.store.s3 = r2.Config{Bucket: name, Endpoint: c.R2Endpoint, Region: c.R2Region, AccessKey: c.R2AccessKey, SecretKey: c.R2SecretKey}
		c.checkS3(bad)
	default:
		bad("STORE is neither disk:DIRECTORY nor r2:BUCKET: set it to something like disk:./data")
	}
}

func (c *config) checkS3(bad func(format string, args ...any)) {
	s := &c.store.s3
	switch {
	case s.Endpoint != "":
		if u, err := url.Parse(s.Endpoint); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			bad("R2_ENDPOINT is no http(s) address: set it to something like http://127.0.0.1:9000")
		}
	case c.R2Account != "":
		s.Endpoint = "https://" + c.R2Account + ".r2.cloudflarestorage.com"
	default:
		bad("STORE=r2:… needs R2_ACCOUNT_ID, or R2_ENDPOINT for another S3")
	}
	if s.AccessKey == "" || s.SecretKey == "" {
		bad("STORE=r2:… needs R2_ACCESS_KEY_ID and R2_SECRET_ACCESS_KEY")
	}
}

// proveTime bounds the look at the store at start.
const proveTime = 30 * time.Second

// openStore opens the store, and proves that it can be trusted with a journal.
func openStore(ctx context.Context, c config) (bucket.Bucket, func() error, error) {
	if c.store.dir != "" {
		d, err := disk.Open(c.store.dir)
		if err != nil {
			return nil, nil, fmt.Errorf("STORE: %w\nNext: choose a directory that can be written", err)
		}
		return d, d.Close, nil
	}
	b := r2.New(c.store.s3)
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	if err := bucket.Prove(ctx, b); err != nil {
		return nil, nil, fmt.Errorf("STORE: %w\nNext: check R2_ENDPOINT, the bucket's name and the keys; the store must have conditional writes and list in byte order (R2, S3, MinIO, versitygw do)", err)
	}
	return b, func() error { return nil }, nil
}

// openOnlyStore opens the store of STORE and R2_…: moving data needs nothing
// else of the configuration.
func openOnlyStore(ctx context.Context) (bucket.Bucket, func() error, error) {
	var c config
	if err := envconfig.Process("", &c.environment); err != nil {
		return nil, nil, fmt.Errorf("reading the environment: %w", err)
	}
	var faults []error
	c.parseStore(func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) })
	if len(faults) > 0 {
		return nil, nil, fmt.Errorf("%w\nNext: mend them; docs/CONFIGURATION.md has every variable", errors.Join(faults...))
	}
	return openStore(ctx, c)
}
