package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kelseyhightower/envconfig"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/bucket/disk"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
	"github.com/loongclaw/loongclaw/agent/bucket/sqlite"
)

// storeKind is one of the stores that there are.
type storeKind string

const (
	onDisk   storeKind = "disk"
	onSQLite storeKind = "sqlite"
	onR2     storeKind = "r2"
)

// storeConfig is STORE and what goes with it.
type storeConfig struct {
	kind storeKind
	name string // a directory, a database, a bucket
	s3   r2.Config
}

func (c storeConfig) String() string { return string(c.kind) + ":" + c.name }

// The stores of an agent that is told of none.
const (
	defaultStore = "sqlite:" + defaultDB
	defaultDB    = "./data/loongclaw.db"
	earlierStore = "disk:" + earlierDir
	earlierDir   = "./data"
)

// parseStore reads STORE, or chooses one.
func (c *config) parseStore(bad func(format string, args ...any)) {
	if c.Store == "" {
		c.Store = c.chooseStore()
	}
	c.store = c.namedStore("STORE", c.Store, bad)
}

// chooseStore goes on with the directory that earlier versions made; a new agent has
// a database.
func (c *config) chooseStore() string {
	if !holdsDisk(earlierDir) {
		return defaultStore
	}
	move := "to move into one file, which is several times faster, stop the agent, run `agent copy -from " + earlierStore + " -to " + defaultStore + "`, and start it with STORE=" + defaultStore
	if _, err := os.Stat(defaultDB); err == nil {
		c.notes = append(c.notes, "STORE is not set, and there is a store in "+earlierDir+" and one in "+defaultDB+": the first is used; set STORE="+earlierStore+" or STORE="+defaultStore+" to say which")
	} else {
		c.notes = append(c.notes, "STORE is not set: the files in "+earlierDir+" go on being used; "+move)
	}
	return earlierStore
}

// holdsDisk reports whether a directory is a disk store.
func holdsDisk(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "objects"))
	return err == nil && info.IsDir()
}

// namedStore reads a store's name. what is where it stands: a variable or a flag.
func (c *config) namedStore(what, text string, bad func(format string, args ...any)) storeConfig {
	kind, name, _ := strings.Cut(text, ":")
	s := storeConfig{kind: storeKind(kind), name: name}
	switch {
	case s.kind == onDisk && name != "":
	case s.kind == onSQLite && name != "":
		if c.Container != "" || c.DoorWait == "true" {
			bad("%s is a file, and the disk of a container on Cloudflare is gone each time it stops: set it to r2:BUCKET", what)
		}
	case s.kind == onR2 && name != "":
		s.s3 = r2.Config{Bucket: name, Endpoint: c.R2Endpoint, Region: c.R2Region, AccessKey: c.R2AccessKey, SecretKey: c.R2SecretKey}
		c.checkS3(&s.s3, bad)
	default:
		bad("%s is neither sqlite:FILE, disk:DIRECTORY nor r2:BUCKET: set it to something like %s", what, defaultStore)
	}
	return s
}

func (c *config) checkS3(s *r2.Config, bad func(format string, args ...any)) {
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

// use is what a store is opened for.
type use int

const (
	toServe use = iota // it is made where there is none, and proved
	toWrite            // it is made where there is none
	toRead             // it must be there
)

// openStore opens the store, and proves that it can be trusted with a journal.
func openStore(ctx context.Context, c config) (bucket.Bucket, func() error, error) {
	return openFor(ctx, c.store, toServe)
}

func openFor(ctx context.Context, s storeConfig, what use) (bucket.Bucket, func() error, error) {
	switch s.kind {
	case onDisk:
		return openDisk(s, what)
	case onSQLite:
		return openSQLite(ctx, s, what)
	}
	b := r2.New(s.s3)
	ctx, cancel := context.WithTimeout(ctx, proveTime)
	defer cancel()
	if err := bucket.Prove(ctx, b); err != nil {
		return nil, nil, fmt.Errorf("STORE: %w\nNext: check R2_ENDPOINT, the bucket's name and the keys; the store must have conditional writes and list in byte order (R2, S3, MinIO, versitygw do)", err)
	}
	return b, func() error { return nil }, nil
}

func openDisk(s storeConfig, what use) (bucket.Bucket, func() error, error) {
	if what == toRead && !holdsDisk(s.name) {
		return nil, nil, fmt.Errorf("STORE: there is no store in %s\nNext: %s", s.name, whichStore)
	}
	d, err := disk.Open(s.name)
	if err != nil {
		return nil, nil, fmt.Errorf("STORE: %w\nNext: choose a directory that can be written", err)
	}
	return d, d.Close, nil
}

// whichStore is what to do where there is none.
const whichStore = "look at STORE, and at the directory that you are in"

func openSQLite(ctx context.Context, s storeConfig, what use) (bucket.Bucket, func() error, error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: s.name, Existing: what == toRead, NetworkOf: networkOf})
	switch {
	case errors.Is(err, os.ErrNotExist) && what == toRead:
		return nil, nil, fmt.Errorf("STORE: there is no database %s\nNext: %s", s.name, whichStore)
	case errors.Is(err, sqlite.ErrNewer):
		return nil, nil, fmt.Errorf("STORE: %w\nNext: start the version that wrote it, or a later one", err)
	case errors.Is(err, bucket.ErrDamaged):
		return nil, nil, fmt.Errorf("STORE: %w\nNext: keep the file as it is, and restore the database from a backup; docs/OPERATIONS.md says how", err)
	case err != nil:
		return nil, nil, fmt.Errorf("STORE: %w\nNext: choose a file on a local disk, in a directory that can be written and has room", err)
	}
	if what == toServe {
		ctx, cancel := context.WithTimeout(ctx, proveTime)
		defer cancel()
		if err := bucket.Prove(ctx, db); err != nil {
			return nil, nil, errors.Join(fmt.Errorf("STORE: %w\nNext: see that the database can be written and that its disk has room", err), db.Close())
		}
	}
	return db, db.Close, nil
}

// storesOnly reads what the environment says of stores: moving data needs nothing
// else of the configuration.
func storesOnly() (config, error) {
	var c config
	if err := envconfig.Process("", &c.environment); err != nil {
		return c, fmt.Errorf("reading the environment: %w", err)
	}
	return c, nil
}

// openOnlyStore opens the store of STORE and R2_….
func openOnlyStore(ctx context.Context, what use) (bucket.Bucket, func() error, error) {
	c, err := storesOnly()
	if err != nil {
		return nil, nil, err
	}
	faults := faults{}
	c.parseStore(faults.add)
	if err := faults.err(); err != nil {
		return nil, nil, err
	}
	return openFor(ctx, c.store, what)
}

// faults collects what is wrong with a configuration.
type faults []error

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Errorf(format, args...)) }

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("%w\nNext: mend them; docs/CONFIGURATION.md has every variable", errors.Join(f...))
}
