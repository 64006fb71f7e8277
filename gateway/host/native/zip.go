package native

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Answers are compressed here where nobody in front does it. What an attacker could
// learn from the length of a compressed answer (BREACH) takes a secret and words of
// theirs in one answer to a request that they make a browser send: a cookie here goes
// with no other site's request, JSON answers hold no credential, and the few that are
// credentials (login, tickets) come from the core and pass this file by.

// minZip is the shortest body that is worth it.
const minZip = 1 << 10

var zippers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

// takesGzip reports whether a client takes gzip (RFC 9110, 12.5.3).
func takesGzip(h http.Header) bool {
	others, named, takes := false, false, false
	for _, line := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(line, ",") {
			coding, params, _ := strings.Cut(part, ";")
			ok := !refusedByWeight(params)
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case "gzip", "x-gzip":
				named, takes = true, takes || ok
			case "*":
				others = ok
			}
		}
	}
	if named {
		return takes
	}
	return others
}

// refusedByWeight reports whether parameters have a weight of nothing.
func refusedByWeight(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		return err != nil || q <= 0
	}
	return false
}

// mayZip reports whether an agent's answer is one that is compressed for clients that
// take it: JSON that is no stream and has its own form.
func mayZip(resp *answer) bool {
	return hasType(resp.Header, "application/json") && !resp.stream && resp.StatusCode == http.StatusOK &&
		resp.Header.Get("Content-Encoding") == "" && resp.Header.Get("Content-Range") == "" &&
		!strings.Contains(strings.ToLower(resp.Header.Get("Cache-Control")), "no-transform")
}

// zips prepares a compressed answer where its client takes one and its body is long
// enough. To see that, it may read the body's beginning.
func zips(r *http.Request, resp *answer, header http.Header) bool {
	if !mayZip(resp) {
		return false
	}
	header["Vary"] = slices.Concat(header["Vary"], []string{"Accept-Encoding"}) // the core shares its own
	if r.Method == http.MethodHead || !takesGzip(r.Header) || (resp.ContentLength >= 0 && resp.ContentLength < minZip) {
		return false
	}
	if resp.ContentLength < 0 {
		begin, err := beginning(resp.Body, resp.progress)
		rest := resp.Body
		resp.Body = readCloser{io.MultiReader(bytes.NewReader(begin), failing{err, rest}), rest}
		if err != nil {
			return false
		}
	}
	header.Set("Content-Encoding", "gzip")
	header.Del("Content-Length")
	header.Del("Accept-Ranges")
	if tag := header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		header.Set("ETag", "W/"+tag) // the bytes are others now
	}
	return true
}

type readCloser struct {
	io.Reader
	io.Closer
}

// beginning reads the first minZip bytes, or less and why.
func beginning(r io.Reader, progress func()) ([]byte, error) {
	b := make([]byte, minZip)
	for n := 0; ; {
		more, err := r.Read(b[n:])
		progress()
		if n += more; n == len(b) {
			return b, nil // an error comes again
		}
		if err != nil {
			return b[:n], err
		}
	}
}

// failing is what stands behind a beginning: the rest, or why there is none.
type failing struct {
	err  error
	rest io.Reader
}

func (f failing) Read(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.rest.Read(p)
}

// zipper compresses onto a writer; end ends the body. Without an end it is no whole
// one, and a client sees that.
func zipper(w io.Writer) (z *gzip.Writer, end func() error) {
	z, _ = zippers.Get().(*gzip.Writer)
	z.Reset(w)
	return z, func() error {
		defer zippers.Put(z)
		return z.Close()
	}
}
