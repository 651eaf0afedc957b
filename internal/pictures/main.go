// Command pictures makes the pictures of the README from the demonstration: the
// messages that the security team gets, the console's triage, and the episode of the
// leak. It needs Chromium.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/weirhq/weir/internal/demo"
)

// Addresses of the demonstration's pages while pictures are made.
const (
	messages = "127.0.0.1:18025"
	pages    = "127.0.0.1:18464"
)

func main() {
	if err := run(context.Background(), "docs/pictures"); err != nil {
		fmt.Fprintln(os.Stderr, "pictures:", err)
		os.Exit(1)
	}
}

// run plays the demonstration and writes the pictures into a folder.
func run(ctx context.Context, folder string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	playing, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- demo.Run(playing, &demo.Options{AsFast: true, Stay: true, SOC: messages, Serve: pages, Version: "demo"}, io.Discard, os.Stderr)
	}()
	defer func() {
		stop()
		<-ended
	}()
	key, err := leak(ctx, ended)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("making the folder of pictures: %w", err)
	}
	browser, closeBrowser := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox)...)
	defer closeBrowser()
	tab, closeTab := chromedp.NewContext(browser)
	defer closeTab()
	for name, url := range map[string]string{
		"messages": "http://" + messages + "/", "triage": "http://" + pages + "/", "episode": "http://" + pages + "/episodes/" + key,
	} {
		if err := picture(tab, url, key, filepath.Join(folder, name+".png")); err != nil {
			return fmt.Errorf("the picture of %s: %w", name, err)
		}
	}
	return nil
}

// picture writes what a window of 1280 × 900 shows of a page, from the message about an
// episode on if there is one.
func picture(tab context.Context, url, key, file string) error {
	const settle = 2 * time.Second // until what comes by itself has come
	if err := chromedp.Do(tab, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url), chromedp.Sleep(settle)); err != nil {
		return err
	}
	about := fmt.Sprintf(`[...document.querySelectorAll("article.message")].find(m => m.textContent.includes(%q))?.scrollIntoView()`, key)
	if err := chromedp.Do(tab, chromedp.Evaluate[chromedp.Void](about)); err != nil {
		return err
	}
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		return err
	}
	return os.WriteFile(file, png, 0o644) //nolint:gosec // pictures are for everybody
}

// leak waits until no other episode becomes the most urgent one of a signing key, and
// returns its dedup key: the demonstration's leak comes through a signing key.
func leak(ctx context.Context, ended <-chan error) (key string, err error) {
	for quiet := 0; quiet < 10; {
		select {
		case err := <-ended:
			return "", errors.Join(errors.New("the demonstration ended"), err)
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(time.Second):
		}
		now, err := top(ctx)
		if err != nil {
			continue // it has not begun
		}
		if quiet++; now != key || now == "" {
			key, quiet = now, 0
		}
	}
	return key, nil
}

// top returns the dedup key of the most urgent open episode of a signing key, empty
// if there is none.
func top(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+pages+"/api/v1/episodes?limit=1&dimension=key", http.NoBody)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var list struct {
		Episodes []struct {
			Key string `json:"dedup_key"`
		} `json:"episodes"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || len(list.Episodes) == 0 {
		return "", err
	}
	return list.Episodes[0].Key, nil
}
