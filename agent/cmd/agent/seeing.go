package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/loop"
	"github.com/loongclaw/loongclaw/agent/meter"
	"github.com/loongclaw/loongclaw/agent/runs"
	"github.com/loongclaw/loongclaw/agent/trace"
	"github.com/loongclaw/loongclaw/telemetry/program"
)

// seeing is what watches this agent: the meter always, the tracer where a collector
// is named.
type seeing struct {
	*meter.Meter
	tracer *trace.Tracer
}

func openSeeing(ctx context.Context, c config, m *meter.Meter, log *slog.Logger) (seeing, func(), error) {
	s := seeing{Meter: m}
	if c.Traces == "" {
		return s, func() {}, nil
	}
	var err error
	s.tracer, err = trace.New(ctx, program.Version(version), log)
	return s, func() { s.tracer.Close(ctx, log) }, err
}

func (s seeing) bucket(b bucket.Bucket) bucket.Bucket {
	b = s.Bucket(b)
	if s.tracer != nil {
		b = s.tracer.Bucket(b)
	}
	return b
}

func (s seeing) model(provider, name string, m loop.Model) loop.Model {
	m = s.Model(provider, name, m)
	if s.tracer != nil {
		m = s.tracer.Model(provider, name, m)
	}
	return m
}

func (s seeing) handler(h http.Handler) http.Handler {
	if s.tracer != nil {
		h = s.tracer.Server(h)
	}
	return h
}

// client is how providers are asked; nil leaves it to the adapter.
func (s seeing) client(c *http.Client) *http.Client {
	if s.tracer == nil {
		return c
	}
	if c == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 64 // as the adapter's own
		c = &http.Client{Transport: t}
	}
	own := *c
	own.Transport = s.tracer.Provider(c.Transport)
	return &own
}

func (s seeing) runs() runs.Tracer {
	if s.tracer == nil {
		return nil
	}
	return s.tracer
}
