package cloudflare

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// account stands in for Cloudflare's API, as far as a deploy asks it.
type account struct {
	*httptest.Server
	t        *testing.T
	registry string // of images: host and port

	mu       sync.Mutex
	buckets  []string
	script   *script
	apps     []map[string]any
	changes  []string // every request that changed something
	rollouts int
}

// script is a Worker that was deployed.
type script struct {
	secrets  map[string]string
	versions []map[string]any
	serves   string // the version that is deployed
}

func newAccount(t *testing.T) *account {
	t.Helper()
	a := &account{t: t, apps: []map[string]any{}}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	images := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(images.Close)
	a.registry = strings.TrimPrefix(images.URL, "http://")
	return a
}

// since returns the changes after a mark, and a new mark.
func (a *account) since(mark int) ([]string, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.changes[mark:]), len(a.changes)
}

// secret is one of the Worker's.
func (a *account) secret(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.script == nil {
		return ""
	}
	return a.script.secrets[name]
}

// images are what the slots' applications have.
func (a *account) images() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	found := map[string]string{}
	for _, app := range a.apps {
		config, _ := app["configuration"].(map[string]any)
		name, _ := app["name"].(string)
		found[name[strings.LastIndex(name, "-")+1:]], _ = config["image"].(string)
	}
	return found
}

// app is the id of a slot's application.
func (a *account) app(slot string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, app := range a.apps {
		if name, _ := app["name"].(string); strings.HasSuffix(name, "-"+slot) {
			id, _ := app["id"].(string)
			return id
		}
	}
	return ""
}

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	path := strings.TrimPrefix(r.URL.Path, "/client/v4/accounts/acc")
	if r.Method != http.MethodGet {
		a.changes = append(a.changes, r.Method+" "+path)
	}
	status, result := a.answer(r, path, body)
	w.Header().Set("Content-Type", "application/json")
	if status >= 400 {
		a.t.Logf("stand-in: %d to %s %s %.300s", status, r.Method, r.URL, body)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"success": false, "errors": []map[string]any{{"code": result, "message": "not found"}}, "messages": []any{}, "result": nil})
		return
	}
	w.WriteHeader(status)
	if strings.HasPrefix(path, "/containers") {
		_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": result})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "errors": []any{}, "messages": []any{}, "result": result, "result_info": map[string]any{"next_continuation_token": ""}})
}

func (a *account) answer(r *http.Request, path string, body []byte) (status int, result any) {
	const worker = "/workers/scripts/loongclaw-staging"
	switch key := r.Method + " " + path; key {
	case "GET /r2/buckets":
		list := []map[string]any{}
		for _, b := range a.buckets {
			list = append(list, map[string]any{"name": b, "creation_date": "2026-11-23T00:00:00.000Z"})
		}
		return 200, map[string]any{"buckets": list}
	case "POST /r2/buckets":
		var b struct{ Name string }
		_ = json.Unmarshal(body, &b)
		a.buckets = append(a.buckets, b.Name)
		return 200, map[string]any{"name": b.Name}
	case "GET /containers/me":
		return 200, map[string]any{
			"external_account_id": "acc", "legacy_identity": "", "capabilities": []any{}, "locations": []any{},
			"limits":   map[string]any{"disk_mb_per_deployment": 20000, "total_vcpu": 40, "total_memory_mib": 400000, "vcpu_per_deployment": 4, "memory_mib_per_deployment": 12288, "memory_per_deployment": "12GiB", "total_memory": "400GiB", "ipv4s": 0, "account_id": "acc"},
			"defaults": map[string]any{"vcpus": 0.0625, "memory_mib": 256, "disk_mb": 2000, "disk_size": "2GB", "memory": "256MiB"},
		}
	case "GET /containers/applications":
		return 200, a.apps
	case "GET /containers/dash/applications":
		list := []map[string]any{}
		for _, app := range a.apps {
			config, _ := app["configuration"].(map[string]any)
			list = append(list, map[string]any{
				"id": app["id"], "name": app["name"], "image": config["image"], "version": app["version"], "instances": 0, "created_at": app["created_at"], "updated_at": app["created_at"],
				"health": map[string]any{"instances": map[string]any{"active": 0, "healthy": 0, "failed": 0, "starting": 0, "scheduling": 0, "assigned": 0, "stopped": 0}},
			})
		}
		return 200, list
	case "POST /containers/applications":
		app := map[string]any{}
		_ = json.Unmarshal(body, &app)
		app["id"], app["version"], app["created_at"], app["account_id"] = fmt.Sprintf("app-%d", len(a.apps)+1), 1, "2026-11-23T00:00:00Z", "acc"
		a.apps = append(a.apps, app)
		return 200, app
	case "POST /containers/registries/" + a.registry + "/credentials":
		return 200, map[string]any{"account_id": "acc", "registry_host": a.registry, "username": "v1", "password": "canary-of-the-registry"}
	case "GET /workers/subdomain":
		return 200, map[string]any{"subdomain": "bears"}
	case "GET " + worker + "/secrets":
		if a.script == nil {
			return 404, 10007
		}
		list := []map[string]any{}
		for name := range a.script.secrets {
			list = append(list, map[string]any{"name": name, "type": "secret_text"})
		}
		return 200, list
	case "GET /workers/workers/loongclaw-staging", "PATCH /workers/workers/loongclaw-staging", "PUT /workers/workers/loongclaw-staging":
		return 200, map[string]any{"id": "loongclaw-staging", "name": "loongclaw-staging", "subdomain": map[string]any{"enabled": true, "previews_enabled": false}}
	case "PUT " + worker + "/schedules":
		return 200, map[string]any{"schedules": []any{map[string]any{"cron": "*/5 * * * *"}}}
	case "PATCH " + worker + "/script-settings":
		return 200, map[string]any{}
	case "POST " + worker + "/subdomain":
		return 200, map[string]any{"enabled": true, "previews_enabled": false}
	case "GET " + worker + "/subdomain":
		return 200, map[string]any{"enabled": true, "previews_enabled": false}
	case "POST " + worker + "/assets-upload-session":
		return 200, map[string]any{"jwt": "assets", "buckets": []any{}}
	case "GET " + worker + "/deployments":
		if a.script == nil {
			return 404, 10007
		}
		return 200, map[string]any{"deployments": []any{map[string]any{"id": "deployment", "created_on": "2026-11-23T00:00:00Z", "strategy": "percentage", "versions": []any{map[string]any{"version_id": a.script.serves, "percentage": 100}}}}}
	case "POST " + worker + "/deployments":
		var d struct {
			Versions []struct {
				ID string `json:"version_id"`
			}
		}
		_ = json.Unmarshal(body, &d)
		a.script.serves = d.Versions[0].ID
		return 200, map[string]any{"id": "deployment"}
	case "PATCH " + worker + "/secrets-bulk":
		var d struct {
			Secrets map[string]struct{ Text string }
		}
		_ = json.Unmarshal(body, &d)
		for name, secret := range d.Secrets {
			a.script.secrets[name] = secret.Text
		}
		return 200, map[string]any{}
	case "PUT " + worker, "POST " + worker + "/versions":
		return a.upload(r, body)
	case "GET " + worker + "/versions":
		if a.script == nil {
			return 404, 10007
		}
		return 200, map[string]any{"items": a.script.versions}
	}
	if rest, ok := strings.CutPrefix(path, "/containers/applications/"); ok {
		id, rolls := strings.CutSuffix(rest, "/rollouts")
		for i, app := range a.apps {
			switch {
			case app["id"] != id:
			case rolls:
				a.rollouts++
				return 200, map[string]any{"id": fmt.Sprintf("rollout-%d", a.rollouts), "status": "pending"}
			case r.Method == http.MethodPatch:
				_ = json.Unmarshal(body, &a.apps[i])
				return 200, a.apps[i]
			default:
				return 200, app
			}
		}
	}
	if id, ok := strings.CutPrefix(path, worker+"/versions/"); ok && a.script != nil {
		for _, v := range a.script.versions {
			if v["id"] == id {
				return 200, v
			}
		}
	}
	if name, ok := strings.CutPrefix(path, "/r2/buckets/"); ok && r.Method == http.MethodGet && slices.Contains(a.buckets, name) {
		return 200, map[string]any{"name": name}
	}
	return 404, 10007
}

// upload takes a new version of the Worker.
func (a *account) upload(r *http.Request, body []byte) (int, any) {
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return 400, 1
	}
	form, err := multipart.NewReader(strings.NewReader(string(body)), params["boundary"]).ReadForm(64 << 20)
	if err != nil || len(form.Value["metadata"]) == 0 {
		return 400, 2
	}
	var meta struct {
		Bindings []struct {
			Type, Name, Text string
			Class            string `json:"class_name"`
		}
		Annotations map[string]any
	}
	if err := json.Unmarshal([]byte(form.Value["metadata"][0]), &meta); err != nil {
		return 400, 3
	}
	if a.script == nil {
		a.script = &script{secrets: map[string]string{}}
	}
	bound := []map[string]any{}
	for _, b := range meta.Bindings {
		if b.Type == "durable_object_namespace" {
			bound = append(bound, map[string]any{"type": b.Type, "name": b.Name, "class_name": b.Class, "namespace_id": "namespace-of-" + b.Class})
		}
		if b.Type == "secret_text" {
			a.script.secrets[b.Name] = b.Text
		}
	}
	n := len(a.script.versions) + 1
	id := fmt.Sprintf("abcdef%02d-0000-4000-8000-000000000000", n)
	a.script.serves = id
	a.script.versions = append(a.script.versions, map[string]any{"id": id, "number": n, "annotations": meta.Annotations, "metadata": map[string]any{"created_on": "2026-11-23T00:00:00Z"}, "resources": map[string]any{"bindings": bound}})
	return 200, map[string]any{"id": "loongclaw-staging", "etag": "e", "tag": "t", "pipeline_hash": "h", "mutable_pipeline_id": "m", "deployment_id": id, "startup_time_ms": 100}
}
