package native

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/loongclaw/loongclaw/gateway/edge"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// file is one file of the page, as it is sent.
type file struct {
	kind, etag string
	plain, zip []byte // zip is nil when it would not be smaller
}

// kinds are the types of the page's files. The machine's own list is not asked:
// it differs from machine to machine.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".json": "application/json", ".webmanifest": "application/manifest+json", ".svg": "image/svg+xml",
	".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8", ".map": "application/json",
}

func readPage(fsys fs.FS) (map[string]*file, error) {
	files := make(map[string]*file)
	if fsys == nil {
		return files, nil
	}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[name] = newFile(name, b)
		return nil
	})
	return files, err
}

func newFile(name string, b []byte) *file {
	sum := sha256.Sum256(b)
	f := &file{plain: b, kind: kinds[strings.ToLower(path.Ext(name))], etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`}
	if f.kind == "" {
		f.kind = "application/octet-stream"
	}
	var zip bytes.Buffer
	z, _ := gzip.NewWriterLevel(&zip, gzip.BestCompression) // the level is valid
	_, err := z.Write(b)
	if err == nil && z.Close() == nil && zip.Len() < len(b)*9/10 {
		f.zip = zip.Bytes()
	}
	return f
}

// asset serves a file of the page.
func (h *Host) asset(w http.ResponseWriter, r *http.Request, d edge.Decision) int {
	f := h.page[d.Asset.Name]
	if f == nil {
		return h.refuse(w, r, d, fault.New(fault.CodeNotFound, "Not found", "reload the page: it may be newer than its address"))
	}
	header := w.Header()
	setAll(header, d.Header)
	header.Set("Content-Type", f.kind)
	header.Set("ETag", f.etag)
	header.Set("Vary", "Origin, Accept-Encoding") // Add would change the core's shared value
	if match := r.Header.Get("If-None-Match"); match != "" && (match == "*" || strings.Contains(match, f.etag)) {
		header.Del("Content-Type")
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	body := f.plain
	if f.zip != nil && takesGzip(r.Header) {
		body = f.zip
		header.Set("Content-Encoding", "gzip")
	}
	return respond(w, r, nil, d.Asset.Status, body)
}
