package r2_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/loongclaw/loongclaw/agent/bucket/buckettest"
	"github.com/loongclaw/loongclaw/agent/bucket/r2"
)

func TestS3IsABucket(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("b"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	buckettest.Run(t, r2.New(r2.Config{Bucket: "b", Endpoint: server.URL, AccessKey: "key", SecretKey: "secret"}))
}

func TestErrorsHoldNoSecret(t *testing.T) {
	b := r2.New(r2.Config{Bucket: "b", Endpoint: "http://127.0.0.1:1", AccessKey: "canary-key", SecretKey: "canary-secret"})
	_, err := b.Create(t.Context(), "a/b", []byte("x"))
	if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "X-Amz") {
		t.Errorf("error = %v", err)
	}
}
