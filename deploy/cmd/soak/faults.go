package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// link is the way from one agent to the store: Toxiproxy, which spoils
// connections, and behind it a proxy that spoils answers.
type link struct {
	book   *book
	dice   *rand.Rand
	faults bool // they come by themselves
	proxy  *toxiproxy.Proxy
	server *http.Server
	spoil  atomic.Int32 // answers of 1000 that are spoilt
}

func newLink(w *world, i int) (*link, error) {
	l := &link{book: w.book, dice: w.dice(uint64(100 + i)), faults: w.Faults} // #nosec G115 -- small
	target, err := url.Parse(w.store.URL)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l.server = &http.Server{Handler: l.spoiler(target), ReadHeaderTimeout: time.Minute}
	go func() { _ = l.server.Serve(listener) }()
	zerolog.SetGlobalLevel(zerolog.Disabled) // some toxics write to its global logger
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	l.proxy = toxiproxy.NewProxy(api, fmt.Sprintf("store%d", i), "127.0.0.1:0", listener.Addr().String())
	if err := l.proxy.Start(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *link) url() string { return "http://" + l.proxy.Listen }

func (l *link) close() {
	l.proxy.Stop()
	_ = l.server.Close()
}

// spoiler passes requests on, but some are answered with 503: SlowDown before
// they reached the store, or InternalError after the store had done them.
func (l *link) spoiler(target *url.URL) http.Handler {
	quiet := log.New(io.Discard, "", 0) // a broken connection is no news here
	pass := &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	refuse := func(w http.ResponseWriter, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>%s</Code><Message>scripted</Message></Error>`, code)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := rand.Int32N(1000); { // #nosec G404 -- many requests at once share no dice
		case n >= l.spoil.Load():
			pass.ServeHTTP(w, r)
		case n%2 == 0:
			l.book.count("fault: SlowDown")
			refuse(w, "SlowDown")
		default:
			pass.ServeHTTP(nowhere{http.Header{}}, r)
			l.book.count("fault: done, answered 503")
			refuse(w, "InternalError")
		}
	})
}

// nowhere takes an answer that nobody shall see.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header       { return n.header }
func (nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (nowhere) WriteHeader(int)             {}

// toxic is one trouble of Toxiproxy.
type toxic struct {
	Name       string         `json:"name"`
	Type       string         `json:"type"`
	Stream     string         `json:"stream"`
	Toxicity   float32        `json:"toxicity"`
	Attributes map[string]int `json:"attributes"`
}

// scenarios are the faults that are injected. "downstream" is what the store answers.
var scenarios = [][]toxic{
	{{Name: "slow", Type: "latency", Stream: "downstream", Toxicity: 1, Attributes: map[string]int{"latency": 80, "jitter": 40}}},
	{{Name: "reset", Type: "reset_peer", Stream: "downstream", Toxicity: 0.7, Attributes: map[string]int{"timeout": 5}}},
	{{Name: "reset late", Type: "reset_peer", Stream: "upstream", Toxicity: 0.7, Attributes: map[string]int{"timeout": 60}}},
	{{Name: "answer cut", Type: "limit_data", Stream: "downstream", Toxicity: 0.7, Attributes: map[string]int{"bytes": 120}}},
	{{Name: "request cut", Type: "limit_data", Stream: "upstream", Toxicity: 0.7, Attributes: map[string]int{"bytes": 700}}},
	{{Name: "answer never comes", Type: "timeout", Stream: "downstream", Toxicity: 0.5, Attributes: map[string]int{"timeout": 700}}},
	{{Name: "half closed", Type: "timeout", Stream: "upstream", Toxicity: 0.5, Attributes: map[string]int{"timeout": 0}}},
	{{Name: "closes slowly", Type: "slow_close", Stream: "downstream", Toxicity: 1, Attributes: map[string]int{"delay": 500}}},
	{{Name: "narrow", Type: "bandwidth", Stream: "upstream", Toxicity: 1, Attributes: map[string]int{"rate": 20}}},
	{
		{Name: "narrow", Type: "bandwidth", Stream: "downstream", Toxicity: 1, Attributes: map[string]int{"rate": 30}},
		{Name: "reset", Type: "reset_peer", Stream: "downstream", Toxicity: 0.3, Attributes: map[string]int{"timeout": 20}},
	},
}

// inject adds faults, one scenario after the other, until stop is closed.
func (l *link) inject(ctx context.Context, stop <-chan struct{}) {
	if !l.faults {
		return
	}
	defer l.clear(ctx)
	for {
		l.clear(ctx)
		l.spoil.Store(int32(l.dice.IntN(3) * 100)) // #nosec G115 -- at most 200
		if n := l.dice.IntN(len(scenarios) + 3); n < len(scenarios) {
			l.add(scenarios[n])
		}
		t := time.NewTimer(time.Duration(300+l.dice.IntN(1200)) * time.Millisecond)
		select {
		case <-t.C:
		case <-stop:
			t.Stop()
			return
		case <-ctx.Done():
			t.Stop()
			return
		}
	}
}

func (l *link) clear(ctx context.Context) {
	l.spoil.Store(0)
	l.proxy.Toxics.ResetToxics(ctx)
}

func (l *link) add(toxics []toxic) {
	for _, t := range toxics {
		b, err := json.Marshal(t)
		if err == nil {
			_, err = l.proxy.Toxics.AddToxicJson(bytes.NewReader(b))
		}
		if err != nil {
			l.book.fault("fault %s: %v", t.Name, err)
		}
		l.book.count("fault: " + t.Name)
	}
}
