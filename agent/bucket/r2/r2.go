// Package r2 is a bucket on Cloudflare R2, or any S3 with conditional writes.
//
// Owns: the S3 client and its settings, the meaning of S3's answers.
// Touches: one bucket over the network.
// Never: puts a key or a secret into an error, or retries in a way that could
// turn "stored, but the answer was lost" into a conflict: that is for the
// journal to tell, which knows its own objects again.
package r2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/loongclaw/loongclaw/agent/bucket"
)

// Config says which bucket, and how to reach it.
type Config struct {
	Bucket    string
	Endpoint  string // R2: https://ACCOUNT.r2.cloudflarestorage.com
	Region    string // R2: auto; it takes us-east-1 as well, which is what other servers expect
	AccessKey string
	SecretKey string
	// Mark puts something more on each request, such as an egress token; nil is
	// nothing. It comes after signing.
	Mark func(*http.Request)
}

// R2 is a bucket.
type R2 struct {
	client *s3.Client
	bucket *string
}

// DefaultRegion is the region that R2 and the servers one runs oneself accept.
const DefaultRegion = "us-east-1"

// requestTimeout bounds one request. The journal tries again after it, and
// reads first what became of the one before.
const requestTimeout = 10 * time.Second

// New makes the client. It does not connect.
func New(c Config) *R2 {
	if c.Region == "" {
		c.Region = DefaultRegion
	}
	transport := awshttp.NewBuildableClient().WithTimeout(requestTimeout).WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 64
		t.MaxIdleConns = 64
		t.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	})
	return &R2{bucket: aws.String(c.Bucket), client: s3.New(s3.Options{
		Region:       c.Region,
		BaseEndpoint: aws.String(c.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(c.AccessKey, c.SecretKey, ""),
		HTTPClient:   marked{transport, c.Mark},
		UsePathStyle: true,
		// R2 refuses the checksums that newer SDKs send unasked.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		// One try: a conditional put that is repeated blindly would find its own
		// object and call it a conflict. Reads are repeated by Get and List.
		Retryer: aws.NopRetryer{},
	})}
}

// marked is a client that marks what it sends.
type marked struct {
	client aws.HTTPClient
	mark   func(*http.Request)
}

// Do sends a request.
func (m marked) Do(r *http.Request) (*http.Response, error) {
	if m.mark != nil {
		m.mark(r)
	}
	return m.client.Do(r)
}

// Get reads an object.
func (r *R2) Get(ctx context.Context, key string) (bucket.Object, error) {
	var o bucket.Object
	err := again(ctx, func() error {
		out, err := r.client.GetObject(ctx, &s3.GetObjectInput{Bucket: r.bucket, Key: &key})
		if err != nil {
			return err
		}
		if aws.ToInt64(out.ContentLength) > bucket.MaxObject {
			return errors.Join(bucket.ErrTooLarge, out.Body.Close())
		}
		body, err := io.ReadAll(io.LimitReader(out.Body, bucket.MaxObject+1))
		if err = errors.Join(err, out.Body.Close()); err != nil {
			return err
		}
		if err := bucket.CheckSize(body); err != nil {
			return err
		}
		o = bucket.Object{Body: body, ETag: aws.ToString(out.ETag)}
		return nil
	})
	return o, meaning(err, "get", key, nil)
}

// Put writes an object, whatever was there. It may be repeated.
func (r *R2) Put(ctx context.Context, key string, body []byte) (string, error) {
	var tag string
	err := again(ctx, func() (err error) {
		tag, err = r.put(ctx, key, body, nil, nil)
		return err
	})
	return tag, meaning(err, "put", key, nil)
}

// Create writes an object where none is.
func (r *R2) Create(ctx context.Context, key string, body []byte) (string, error) {
	tag, err := r.put(ctx, key, body, aws.String("*"), nil)
	return tag, meaning(err, "create", key, bucket.ErrExists)
}

// Replace writes an object whose ETag is still etag.
func (r *R2) Replace(ctx context.Context, key string, body []byte, etag string) (string, error) {
	tag, err := r.put(ctx, key, body, nil, &etag)
	return tag, meaning(err, "replace", key, bucket.ErrChanged)
}

func (r *R2) put(ctx context.Context, key string, body []byte, ifNone, ifMatch *string) (string, error) {
	if err := errors.Join(bucket.CheckKey(key), bucket.CheckSize(body)); err != nil {
		return "", err
	}
	out, err := r.client.PutObject(ctx, &s3.PutObjectInput{
		Bucket: r.bucket, Key: &key, Body: bytes.NewReader(body), IfNoneMatch: ifNone, IfMatch: ifMatch,
	})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.ETag), nil
}

// List gives entries in byte order of their keys.
func (r *R2) List(ctx context.Context, prefix, after string, limit int) ([]bucket.Entry, bool, error) {
	in := &s3.ListObjectsV2Input{Bucket: r.bucket, Prefix: &prefix}
	if after != "" {
		in.StartAfter = &after
	}
	if limit > 0 {
		in.MaxKeys = aws.Int32(int32(min(limit, 1000))) //nolint:gosec // at most 1000
	}
	var entries []bucket.Entry
	var more bool
	err := again(ctx, func() error {
		out, err := r.client.ListObjectsV2(ctx, in)
		if err != nil {
			return err
		}
		entries = entries[:0]
		for _, o := range out.Contents {
			entries = append(entries, bucket.Entry{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ETag: aws.ToString(o.ETag), Modified: aws.ToTime(o.LastModified)})
		}
		more = aws.ToBool(out.IsTruncated)
		// Prove finds a server that lists wrongly at the start; one that begins
		// later must not make whole journals look damaged.
		return bucket.CheckPage(entries, prefix, after)
	})
	return entries, more, meaning(err, "list", prefix, nil)
}

// Delete removes an object; one that is not there is no error.
func (r *R2) Delete(ctx context.Context, key string) error {
	if err := bucket.CheckKey(key); err != nil {
		return err
	}
	err := again(ctx, func() error {
		_, err := r.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: r.bucket, Key: &key})
		return err
	})
	if err = meaning(err, "delete", key, nil); errors.Is(err, bucket.ErrNotFound) {
		return nil
	}
	return err
}

// How often what may be repeated is tried, and how long apart.
const (
	tries = 3
	pause = 100 * time.Millisecond
)

// again repeats do while its errors may pass.
func again(ctx context.Context, do func() error) error {
	var err error
	for try := range tries {
		if try > 0 {
			t := time.NewTimer(pause << (2 * try))
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return errors.Join(err, ctx.Err())
			}
		}
		if err = do(); err == nil || !passes(err) {
			return err
		}
	}
	return err
}

// passes reports whether an error may be gone at the next try.
func passes(err error) bool {
	switch s := status(err); {
	case errors.Is(err, bucket.ErrTooLarge), errors.Is(err, bucket.ErrListing):
		return false
	case s == 0:
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
	case s == http.StatusTooManyRequests:
		return true
	default:
		return s >= 500
	}
}

func status(err error) int {
	var re *awshttp.ResponseError
	if errors.As(err, &re) {
		return re.HTTPStatusCode()
	}
	return 0
}

// meaning turns S3's answer into the bucket's. failed is what a condition that
// did not hold means: servers say 412 or 409 for it, and some 404 for If-Match
// on a key that is not there.
func meaning(err error, what, key string, failed error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, bucket.ErrListing) {
		return fmt.Errorf("object store: list %s: %w", key, err)
	}
	switch s := status(err); {
	case failed != nil && (s == http.StatusPreconditionFailed || s == http.StatusConflict):
		return failed
	case s == http.StatusNotFound && code(err) != "NoSuchBucket" && !errors.Is(failed, bucket.ErrExists):
		if failed != nil {
			return failed
		}
		return bucket.ErrNotFound
	case s != 0:
		return fmt.Errorf("object store: %s %s: status %d %s", what, key, s, code(err))
	}
	return fmt.Errorf("object store: %s %s: %w", what, key, plain(err))
}

// code is S3's name for an error.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return http.StatusText(status(err))
}

// plain keeps of a transport's error what helps: never a URL with a signature.
func plain(err error) error {
	for _, e := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, bucket.ErrTooLarge} {
		if errors.Is(err, e) {
			return e
		}
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return op
	}
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return errors.New(text)
}

var _ bucket.Bucket = (*R2)(nil)
