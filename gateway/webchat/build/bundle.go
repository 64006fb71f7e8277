package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// bundle makes the page's files, by name below dist. The same sources and
// packages give the same bytes on any machine.
func bundle(dir string) (map[string][]byte, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the page's folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(root, "node_modules")); err != nil {
		return nil, errors.New("the page's packages are missing; run npm ci in gateway/webchat first")
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     root,
		EntryPoints:       []string{"src/main.js", "src/style/index.css", "src/icon.svg"},
		EntryNames:        "assets/[name]-[hash]",
		ChunkNames:        "assets/[name]-[hash]",
		Outdir:            "dist",
		Bundle:            true,
		Splitting:         true,
		Format:            api.FormatESModule,
		Target:            api.ES2022,
		Loader:            map[string]api.Loader{".svg": api.LoaderCopy},
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		LegalComments:     api.LegalCommentsNone, // licenses.txt has them whole
		Charset:           api.CharsetUTF8,       // modules are read as UTF-8; Chinese in escapes is half as long again
		Metafile:          true,
		Plugins:           []api.Plugin{withoutWriter},
		LogLevel:          api.LogLevelSilent,
	})
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{Kind: api.ErrorMessage}), "\n"))
	}
	files := make(map[string][]byte, len(result.OutputFiles)+2)
	for _, f := range result.OutputFiles {
		name, err := filepath.Rel(filepath.Join(root, "dist"), f.Path)
		if err != nil {
			return nil, fmt.Errorf("name a built file: %w", err)
		}
		files[filepath.ToSlash(name)] = f.Contents
	}
	var m metafile
	if err := json.Unmarshal([]byte(result.Metafile), &m); err != nil {
		return nil, fmt.Errorf("read esbuild's account of its outputs: %w", err)
	}
	dropIdleImports(m, files)
	if err := shrink(root, files); err != nil {
		return nil, err
	}
	return files, addPages(root, m, files)
}

// dropIdleImports takes out what esbuild writes into every file when one package
// needs its helpers: an import of the helpers for nothing. They only define
// functions, and a reader of words would fetch them.
func dropIdleImports(m metafile, files map[string][]byte) {
	for helpers, o := range m.Outputs {
		if len(o.Inputs) > 0 || path.Ext(helpers) != ".js" {
			continue
		}
		idle := fmt.Appendf(nil, "import\"./%s\";", path.Base(helpers))
		for name, content := range files {
			files[name] = bytes.Replace(content, idle, nil, 1)
		}
	}
}

// metafile is what esbuild says about its outputs.
type metafile struct {
	Inputs  map[string]struct{} `json:"inputs"`
	Outputs map[string]output   `json:"outputs"`
}

type output struct {
	EntryPoint string              `json:"entryPoint"`
	Inputs     map[string]struct{} `json:"inputs"`
}

// addPages adds index.html, which names the built files, and the licenses.
func addPages(root string, m metafile, files map[string][]byte) error {
	html, err := os.ReadFile(filepath.Join(root, "src", "index.html")) //nolint:gosec // our own source
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	places := map[string]string{"src/main.js": "{{script}}", "src/style/index.css": "{{style}}", "src/icon.svg": "{{icon}}"}
	for name, o := range m.Outputs {
		if place, ok := places[o.EntryPoint]; ok {
			html = bytes.ReplaceAll(html, []byte(place), []byte(path.Base(name)))
		}
		if o.EntryPoint == "src/main.js" {
			html = bytes.Replace(html, []byte("{{preload}}\n"), preload(name, files), 1)
		}
	}
	if bytes.Contains(html, []byte("{{")) {
		return errors.New("src/index.html names a file that was not built")
	}
	files["index.html"] = html
	files["licenses.txt"], err = licenses(root, m)
	return err
}

// preload names what the script cannot start without, so that a browser asks for
// it beside the script and not after it.
func preload(script string, files map[string][]byte) []byte {
	var b bytes.Buffer
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		for _, needed := range imports(name, files[name]) {
			if !seen[needed] {
				seen[needed] = true
				fmt.Fprintf(&b, "<link rel=\"modulepreload\" href=\"/%s\">\n", needed)
				visit(needed)
			}
		}
	}
	visit(strings.TrimPrefix(script, "dist/"))
	return b.Bytes()
}

// licenses joins the texts of every package that is in the bundle.
func licenses(root string, m metafile) ([]byte, error) {
	packages := map[string]bool{}
	for input := range m.Inputs {
		rest, ok := strings.CutPrefix(input, "node_modules/")
		if !ok {
			continue
		}
		parts := strings.Split(rest, "/")
		if strings.HasPrefix(rest, "@") {
			packages[parts[0]+"/"+parts[1]] = true
		} else {
			packages[parts[0]] = true
		}
	}
	names := make([]string, 0, len(packages))
	for name := range packages {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	for _, name := range names {
		found, err := filepath.Glob(filepath.Join(root, "node_modules", filepath.FromSlash(name), "LICENSE*"))
		if err != nil || len(found) == 0 {
			return nil, fmt.Errorf("package %s comes without a license text", name)
		}
		text, err := os.ReadFile(found[0])
		if err != nil {
			return nil, fmt.Errorf("read the license of %s: %w", name, err)
		}
		fmt.Fprintf(&b, "== %s ==\n\n%s\n\n", name, bytes.TrimSpace(text))
	}
	return b.Bytes(), nil
}
