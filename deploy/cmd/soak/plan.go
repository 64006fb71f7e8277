package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// The stores.
const (
	OnDisk   = "disk"
	OnSQLite = "sqlite"
	OnS3     = "s3"
)

// Plan says what a run is to be.
type Plan struct {
	Bin       testenv.Binaries
	Dir       string
	Seed      uint64
	Store     string
	Rounds    int // kills
	Users     int
	Sessions  int // of each user
	Agents    int // on one store; 0 is 1
	Faults    bool
	Partition time.Duration // how long the first agent is cut off from the store
	Between   time.Duration // the longest time between two kills
	Calm      time.Duration // how long to go on without kills
	Out       io.Writer
}

func (p Plan) check() error {
	switch {
	case p.Store != OnDisk && p.Store != OnSQLite && p.Store != OnS3:
		return fmt.Errorf("store %q is neither %s, %s nor %s", p.Store, OnDisk, OnSQLite, OnS3)
	case p.Store != OnS3 && (p.Faults || p.Partition > 0):
		return errors.New("faults and a partition need -store s3: a file has no network before it")
	case p.Store == OnDisk && p.Agents > 1:
		return errors.New("two agents need -store sqlite or -store s3")
	case p.Partition > 0 && p.Agents != 2:
		return errors.New("a partition needs -agents 2")
	}
	return nil
}

// dice makes a source of choices for one part of a run.
func (p Plan) dice(part uint64) *rand.Rand {
	return rand.New(rand.NewPCG(p.Seed, part)) // #nosec G404 -- choices of a test
}

// Run plays a plan. Its error joins everything that was seen to be wrong.
func Run(ctx context.Context, p Plan) (Report, error) {
	p.Agents = max(p.Agents, 1)
	if err := p.check(); err != nil {
		return Report{}, err
	}
	began := time.Now()
	b := newBook()
	w, err := build(ctx, p, b)
	if err != nil {
		return Report{}, err
	}
	defer w.down()
	_, _ = fmt.Fprintf(p.Out, "seed %d: %d kills, %d users x %d sessions, %d agent(s), store %s, faults %v, partition %v\n", p.Seed, p.Rounds, p.Users, p.Sessions, p.Agents, p.Store, p.Faults, p.Partition)
	err = w.play(ctx)
	report := b.report(p, time.Since(began))
	if err = errors.Join(err, b.err()); err != nil {
		err = fmt.Errorf("seed %d: %w\n%s", p.Seed, err, w.logs())
	}
	return report, err
}

// play lets everybody loose, makes the trouble, and then looks at what is there.
func (w *world) play(ctx context.Context) error {
	stop := make(chan struct{})
	var playing, following, injecting sync.WaitGroup
	followed, endFollowing := context.WithCancel(ctx)
	defer endFollowing()
	played, endPlaying := context.WithCancel(ctx)
	defer endPlaying()
	for _, s := range w.sessions {
		playing.Go(func() { s.play(played, stop) })
		following.Go(func() { s.follow(followed) })
	}
	for _, link := range w.links {
		injecting.Go(func() { link.inject(ctx, stop) })
	}
	err := w.trouble(ctx)
	if err != nil {
		endPlaying() // what is under way would wait for an agent that is not there
	}
	w.say("the trouble is over")
	close(stop)
	injecting.Wait()
	playing.Wait()
	w.say("everybody has stopped sending")
	if err == nil {
		err = w.audit(ctx)
	}
	endFollowing()
	following.Wait()
	return err
}
