/** Saved views of a list: the filters, sorting and columns in the address, under a name. */
import { useState } from "react";
import { Button, Checkbox, Text, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type Page, read, type Schemas, send } from "../app/api.ts";
import { t } from "../app/i18n.ts";
import { parseSearch, type Search, stringifySearch, useSearchState } from "../app/location.ts";
import { may } from "../app/permissions.ts";
import { useWrite } from "../app/reads.ts";
import { useUser } from "../app/session.tsx";
import { FormDialog } from "./dialog.tsx";
import { PopoverButton } from "./popover.tsx";

type View = Schemas["ViewResponse"];
type Dialog = { kind: "save" } | { kind: "edit" | "delete"; view: View };

/** Users have a few hundred at most. */
async function loadViews(path: string): Promise<View[]> {
  const views: View[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const page: Page<View> = await read("/views", { path, page_size: 100, cursor });
    views.push(...page.items);
    cursor = page.next_cursor;
  }
  return views;
}

const matching = (view: View) => ({ headers: { "If-Match": `"${view.version}"` } });

/** What a view keeps of the address: everything but the page of the list and the view itself. */
function viewQuery({ page, view, ...kept }: Search): string {
  return stringifySearch(Object.fromEntries(Object.entries(kept).sort())).slice(1);
}

export function Views({ path }: { path: string }) {
  const [search, change] = useSearchState();
  const [isOpened, setOpened] = useState(false);
  const [dialog, setDialog] = useState<Dialog>();
  const user = useUser();
  const { data: views = [] } = useQuery({ queryKey: ["views", path], queryFn: () => loadViews(path), enabled: isOpened || Boolean(search.view) });
  const active = views.find(({ id }) => String(id) === search.view);
  const present = viewQuery(search);
  const isChanged = active !== undefined && viewQuery(parseSearch(active.query)) !== present;
  const show = (next: Search): void => change({ ...Object.fromEntries(Object.keys(search).map((name) => [name, ""])), ...next }, { replace: false });
  const choose = (view: View): void => show({ ...parseSearch(view.query), view: String(view.id) });
  const update = useWrite((view: View) => send("PATCH", `/views/${view.id}`, { query: present }, matching(view)), { done: () => t("Saved") });
  return (
    <>
      <PopoverButton
        title={t("Views")}
        label={active ? <span className="clip">{isChanged ? t("{{name}}, changed", { name: active.name }) : active.name}</span> : t("Views")}
        onOpen={() => setOpened(true)}
      >
        {(close) => {
          const open = (next: Dialog): void => {
            close();
            setDialog(next);
          };
          const then = (act: () => void) => (): void => {
            close();
            act();
          };
          return (
            <>
              {views.length ? null : <Text size="sm" c="dimmed" maw={280}>{t("Filter and sort the list, choose its columns, and save that under a name.")}</Text>}
              <ul className="views">
                {views.map((view) => (
                  <li key={view.id}>
                    <Button variant="subtle" size="xs" className="view" aria-current={view === active || undefined} onClick={then(() => choose(view))}>
                      <span className="clip">{view.name}</span>
                      {view.is_shared ? <span className="dim">{view.owner_id === user.id ? t("shared") : t("from {{name}}", { name: view.owner })}</span> : null}
                    </Button>
                    {view.owner_id === user.id ? <Button variant="subtle" size="xs" aria-label={t("Edit {{name}}", { name: view.name })} onClick={() => open({ kind: "edit", view })}>{t("Edit")}</Button> : null}
                    {view.owner_id === user.id || may(user, "view.share") ? <Button variant="subtle" size="xs" aria-label={t("Delete {{name}}", { name: view.name })} onClick={() => open({ kind: "delete", view })}>{t("Delete")}</Button> : null}
                  </li>
                ))}
              </ul>
              <div className="popover-actions">
                {active && isChanged && active.owner_id === user.id ? <Button variant="default" size="xs" onClick={then(() => update.mutate(active))}>{t("Save the changes")}</Button> : null}
                <Button size="xs" onClick={() => open({ kind: "save" })}>{t("Save as a new view")}</Button>
                {present || active ? <Button variant="subtle" size="xs" onClick={then(() => show({}))}>{t("Reset")}</Button> : null}
              </div>
            </>
          );
        }}
      </PopoverButton>
      {dialog?.kind === "delete" ? <DeleteDialog view={dialog.view} onDone={() => (dialog.view === active ? change({ view: "" }) : undefined)} onClose={() => setDialog(undefined)} /> : null}
      {dialog?.kind === "save" ? <ViewDialog path={path} query={present} onSaved={choose} onClose={() => setDialog(undefined)} /> : null}
      {dialog?.kind === "edit" ? <ViewDialog path={path} query={present} view={dialog.view} onClose={() => setDialog(undefined)} /> : null}
    </>
  );
}

/** Without `view`, a new one is saved. */
function ViewDialog({ path, query, view, onSaved, onClose }: { path: string; query: string; view?: View; onSaved?: (view: View) => void; onClose: () => void }) {
  const user = useUser();
  const [name, setName] = useState(view?.name ?? "");
  const [isShared, setShared] = useState(view?.is_shared ?? false);
  const body = { name, is_shared: isShared };
  const save = useWrite(() => (view ? send<View>("PATCH", `/views/${view.id}`, body, matching(view)) : send<View>("POST", "/views", { ...body, path, query })), {
    showsErrors: false,
    done: () => t("Saved"),
    ...(onSaved ? { onDone: onSaved } : {}),
  });
  return (
    <FormDialog title={view ? t("Edit view") : t("Save as a new view")} button={t("Save")} isDisabled={!name.trim()} onClose={onClose} onSubmit={() => save.mutateAsync(undefined)}>
      {(errors) => (
        <>
          <TextInput label={t("Name")} data-autofocus required maxLength={80} error={errors.name} value={name} onChange={(event) => setName(event.currentTarget.value)} />
          {may(user, "view.share") || isShared ? (
            <Checkbox label={t("Shared with everybody")} description={t("Others see it in this list; only you change it.")} checked={isShared} onChange={(event) => setShared(event.currentTarget.checked)} />
          ) : null}
        </>
      )}
    </FormDialog>
  );
}

function DeleteDialog({ view, onDone, onClose }: { view: View; onDone: () => void; onClose: () => void }) {
  const remove = useWrite(() => send("DELETE", `/views/${view.id}`, undefined, matching(view)), { showsErrors: false, done: () => t("{{name}} deleted", { name: view.name }), onDone });
  return (
    <FormDialog title={t("Delete {{name}}?", { name: view.name })} button={t("Delete")} isDanger onClose={onClose} onSubmit={() => remove.mutateAsync(undefined)}>
      <Text size="sm">{view.is_shared ? t("It disappears for everybody; the rows of the list stay.") : t("The rows of the list stay.")}</Text>
    </FormDialog>
  );
}
