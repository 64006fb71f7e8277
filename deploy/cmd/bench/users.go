package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
	"github.com/loongclaw/loongclaw/deploy/internal/fakeprovider"
	"github.com/loongclaw/loongclaw/deploy/internal/testenv"
)

// manyUsers measures what an agent takes with many users in memory, each of whom has
// just had a short chat.
func (b *bench) manyUsers(ctx context.Context) error {
	issuer, err := newIssuer()
	if err != nil {
		return err
	}
	model, err := fakeprovider.Start()
	if err != nil {
		return err
	}
	defer model.Close()
	dir := b.sub("users")
	s, err := testenv.Up(ctx, testenv.Options{
		Bin: b.bin, Dir: dir, Tokens: tokens(), Model: model.URL,
		AgentEnv:   map[string]string{"STORE": "sqlite:" + filepath.Join(dir, "store", "data"), "LOG_LEVEL": "warn"},
		GatewayEnv: map[string]string{"LOG_LEVEL": "warn", "JWT_ISSUER": issuer.name, "JWT_AUDIENCE": issuer.name, "JWT_PUBLIC_KEYS": issuer.public},
	})
	if err != nil {
		return err
	}
	defer s.Down()
	idle, err := resident(s.Agent.PID())
	if err != nil {
		return err
	}
	began, transport := time.Now(), client.Transport()
	var next atomic.Int64
	var all sync.WaitGroup
	var failed sync.Map
	for range 64 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(b.opened) && ctx.Err() == nil; i = next.Add(1) {
				if err := shortChat(ctx, client.New(s.Base, issuer.token(fmt.Sprintf("user-%d", i)), transport), i); err != nil {
					failed.Store(i, err)
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began).Round(time.Second)
	opened, err := resident(s.Agent.PID())
	if err != nil {
		return err
	}
	b.row(fmt.Sprintf("the agent, resident with %d users, a chat of each", b.opened),
		fmt.Sprintf("%d MiB, %.1f KiB a user, opened in %s", opened/1024, float64(opened-idle)/float64(b.opened), took), "≤ 1024 MiB")
	failed.Range(func(i, err any) bool {
		b.failed = append(b.failed, fmt.Sprintf("the chat of user %v: %v", i, err))
		return false
	})
	return ctx.Err()
}

// shortChat is a message and an answer of a few pieces.
func shortChat(ctx context.Context, c *client.Client, i int64) error {
	script := fakeprovider.Say(fmt.Sprintf("user-%d", i), fakeprovider.Round{Chunks: 5})
	stream, err := c.Chat(ctx, "default", script.Message())
	if err != nil {
		return err
	}
	defer stream.Cut()
	for {
		e, err := stream.Next()
		switch {
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		case e.Type == "run_finished" && e.Status != "done":
			return fmt.Errorf("the run ended with %s", e.Raw)
		case e.Type == "run_finished":
			return nil
		}
	}
}

// issuer signs JSON Web Tokens: there are more users than fit into LOONGCLAW_TOKENS.
type issuer struct {
	name   string
	key    ed25519.PrivateKey
	public string // as the gateway reads it
}

func newIssuer() (*issuer, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	return &issuer{"https://bench.example", key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))}, nil
}

func (s *issuer) token(user string) string {
	token, err := testenv.SignToken(s.key, map[string]any{"iss": s.name, "aud": s.name, "sub": user, "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		panic(err) // strings and numbers only
	}
	return token
}
