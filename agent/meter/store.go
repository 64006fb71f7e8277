package meter

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/telemetry/metrics"
)

// storeMetrics are about the store.
type storeMetrics struct {
	operations *metrics.Children[operation, prometheus.Counter]
	took       *metrics.Children[string, prometheus.Observer]
	conflicts  prometheus.Counter
}

type operation struct{ name, result string }

func newStore(r *metrics.Registry) *storeMetrics {
	operations := r.Counter("loongclaw_agent_store_operations_total", "Operations of the store. S3 counts the writing ones and list as class A, get as class B; delete is free.", "operation", "result")
	took := r.Histogram("loongclaw_agent_store_operation_duration_seconds", "Time that an operation of the store took.", metrics.Buckets(), "operation")
	conflicts := r.Counter("loongclaw_agent_journal_conflicts_total", "Objects of a journal that were there already when they were to be made: another writer was first, or the answer to an earlier try was lost.")
	s := &storeMetrics{
		operations: metrics.NewChildren(func(k operation) prometheus.Counter { return operations.WithLabelValues(k.name, k.result) }),
		took:       metrics.NewChildren(func(name string) prometheus.Observer { return took.WithLabelValues(name) }),
		conflicts:  conflicts.WithLabelValues(),
	}
	for _, name := range []string{"get", "put", "create", "replace", "list", "delete"} {
		s.operations.Of(operation{name, "ok"})
		s.operations.Of(operation{name, "error"})
	}
	return s
}

// Bucket measures a store.
func (m *Meter) Bucket(next bucket.Bucket) bucket.Bucket { return &store{m.store, next} }

type store struct {
	*storeMetrics
	next bucket.Bucket
}

func (s *store) done(name string, started time.Time, err error) {
	s.took.Of(name).Observe(time.Since(started).Seconds())
	s.operations.Of(operation{name, resultOf(err)}).Inc()
}

// resultOf: what a store answers besides success is no failure of it.
func resultOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, bucket.ErrNotFound):
		return "not_found"
	case errors.Is(err, bucket.ErrExists):
		return "exists"
	case errors.Is(err, bucket.ErrChanged):
		return "changed"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	}
	return "error"
}

// Get reads an object.
func (s *store) Get(ctx context.Context, key string) (o bucket.Object, err error) {
	defer func(started time.Time) { s.done("get", started, err) }(time.Now())
	return s.next.Get(ctx, key)
}

// Put writes an object.
func (s *store) Put(ctx context.Context, key string, body []byte) (tag string, err error) {
	defer func(started time.Time) { s.done("put", started, err) }(time.Now())
	return s.next.Put(ctx, key, body)
}

// Create writes an object where none is.
func (s *store) Create(ctx context.Context, key string, body []byte) (tag string, err error) {
	defer func(started time.Time) {
		s.done("create", started, err)
		if errors.Is(err, bucket.ErrExists) && strings.Contains(key, "/log/") {
			s.conflicts.Inc()
		}
	}(time.Now())
	return s.next.Create(ctx, key, body)
}

// Replace writes an object that has not changed.
func (s *store) Replace(ctx context.Context, key string, body []byte, etag string) (tag string, err error) {
	defer func(started time.Time) { s.done("replace", started, err) }(time.Now())
	return s.next.Replace(ctx, key, body, etag)
}

// List lists entries.
func (s *store) List(ctx context.Context, prefix, after string, limit int) (entries []bucket.Entry, more bool, err error) {
	defer func(started time.Time) { s.done("list", started, err) }(time.Now())
	return s.next.List(ctx, prefix, after, limit)
}

// Delete removes an object.
func (s *store) Delete(ctx context.Context, key string) (err error) {
	defer func(started time.Time) { s.done("delete", started, err) }(time.Now())
	return s.next.Delete(ctx, key)
}

var _ bucket.Bucket = (*store)(nil)
