package trace

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/agent/loop"
)

// Model makes a span of each question to a model.
func (t *Tracer) Model(provider, name string, next loop.Model) loop.Model {
	return &model{t, next, "chat " + name, []attribute.KeyValue{
		attribute.String("gen_ai.provider.name", provider), attribute.String("gen_ai.request.model", name),
	}}
}

type model struct {
	*Tracer
	next  loop.Model
	name  string
	about []attribute.KeyValue
}

// Answer asks the model.
func (m *model) Answer(ctx context.Context, q loop.Question, onText func(string)) (loop.Answer, error) {
	ctx, span := m.Start(ctx, m.name, oteltrace.WithSpanKind(oteltrace.SpanKindClient), oteltrace.WithAttributes(m.about...))
	began := false
	a, err := m.next.Answer(ctx, q, func(text string) {
		if !began {
			began = true
			span.AddEvent("first token")
		}
		onText(text)
	})
	if u := a.Usage; u != nil {
		span.SetAttributes(attribute.Int("gen_ai.usage.input_tokens", u.PromptTokens), attribute.Int("gen_ai.usage.output_tokens", u.CompletionTokens))
	}
	end(span, err)
	return a, err
}

// Bucket makes a span of each operation of the store that belongs to a trace: what
// an agent does by itself, heartbeats and looks, is none.
func (t *Tracer) Bucket(next bucket.Bucket) bucket.Bucket { return &store{t, next} }

type store struct {
	*Tracer
	next bucket.Bucket
}

func (s *store) begin(ctx context.Context, operation string) (context.Context, func(error)) {
	if !oteltrace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := s.Start(ctx, "store "+operation, oteltrace.WithSpanKind(oteltrace.SpanKindClient))
	return ctx, func(err error) {
		for answer, name := range map[error]string{bucket.ErrNotFound: "not_found", bucket.ErrExists: "exists", bucket.ErrChanged: "changed"} {
			if errors.Is(err, answer) { // answers, no failures
				span.SetAttributes(attribute.String("loongclaw.store.result", name))
				err = nil
			}
		}
		end(span, err)
	}
}

// Get reads an object.
func (s *store) Get(ctx context.Context, key string) (o bucket.Object, err error) {
	ctx, done := s.begin(ctx, "get")
	defer func() { done(err) }()
	return s.next.Get(ctx, key)
}

// Put writes an object.
func (s *store) Put(ctx context.Context, key string, body []byte) (tag string, err error) {
	ctx, done := s.begin(ctx, "put")
	defer func() { done(err) }()
	return s.next.Put(ctx, key, body)
}

// Create writes an object where none is.
func (s *store) Create(ctx context.Context, key string, body []byte) (tag string, err error) {
	ctx, done := s.begin(ctx, "create")
	defer func() { done(err) }()
	return s.next.Create(ctx, key, body)
}

// Replace writes an object that has not changed.
func (s *store) Replace(ctx context.Context, key string, body []byte, etag string) (tag string, err error) {
	ctx, done := s.begin(ctx, "replace")
	defer func() { done(err) }()
	return s.next.Replace(ctx, key, body, etag)
}

// List lists entries.
func (s *store) List(ctx context.Context, prefix, after string, limit int) (entries []bucket.Entry, more bool, err error) {
	ctx, done := s.begin(ctx, "list")
	defer func() { done(err) }()
	return s.next.List(ctx, prefix, after, limit)
}

// Delete removes an object.
func (s *store) Delete(ctx context.Context, key string) (err error) {
	ctx, done := s.begin(ctx, "delete")
	defer func() { done(err) }()
	return s.next.Delete(ctx, key)
}

var (
	_ loop.Model    = (*model)(nil)
	_ bucket.Bucket = (*store)(nil)
)
