//! Lists of Users and Groups. A list that an index answers costs a page; what only the filter can tell costs a look at each
//! resource of the workspace, in batches, so that no list is ever whole in memory.

use berth_base::error::Result;
use berth_model::workspace::scim::{
    filter::{Filter, Known, Matcher, Narrow},
    message::{self, ListQuery},
    schema::Resource,
    view::View,
};
use berth_store::{ResourceRow, Tx};
use serde_json::Value;

use super::{
    Directory,
    chosen::chosen,
    shown::{self, Around, around_name},
};

/// How many resources are looked at before the next ones are read.
const BATCH: i64 = 500;

/// A page of the Users or the Groups that satisfy the filter.
///
/// # Errors
/// `scim-filter`, `scim-path`, `scim-value` for the query; `not-found`; `missing-grant`.
pub async fn list(of: &Directory<'_>, resource: Resource, query: &ListQuery) -> Result<Value> {
    pages(of, &[resource], Known::Demanded, query).await
}

/// A page of the Users and the Groups that satisfy the filter. What a type does not have counts as without a value.
///
/// # Errors
/// As for [`list`].
pub async fn search(of: &Directory<'_>, query: &ListQuery) -> Result<Value> {
    pages(of, &Resource::ALL, Known::Absent, query).await
}

async fn pages(of: &Directory<'_>, resources: &[Resource], known: Known, query: &ListQuery) -> Result<Value> {
    let view = query.view()?;
    let filter = query.filter.as_deref().map(str::parse::<Filter>).transpose()?;
    let mut asked = Vec::new();
    for resource in resources {
        asked.push(Asked::of(*resource, filter.as_ref(), known)?);
    }
    let mut tx = of.read().await?;
    match &query.cursor {
        Some(cursor) => after(&mut tx, of, &asked, &view, cursor, query.count()).await,
        None => numbered(&mut tx, of, &asked, &view, query).await,
    }
}

/// What is asked of one type of resource.
struct Asked {
    resource: Resource,
    matcher: Option<Matcher>,
    /// How many comparisons a look at a resource takes.
    comparisons: usize,
    narrow: Option<Narrow>,
    /// Whether the filter asks who is in what.
    around: bool,
}

impl Asked {
    fn of(resource: Resource, filter: Option<&Filter>, known: Known) -> Result<Self> {
        let matcher = filter.map(|filter| Matcher::of_resources(filter, resource, known)).transpose()?;
        let narrow = filter.and_then(|filter| Narrow::of(filter, resource));
        let asks = |filter: &Filter| filter.names().iter().any(|name| name.eq_ignore_ascii_case(around_name(resource)));
        let comparisons = filter.map_or(0, Filter::comparisons);
        Ok(Self { resource, matcher, comparisons, narrow, around: filter.is_some_and(asks) })
    }

    /// The next resources after an id that satisfy the filter, and the id up to which was looked; `None` when that was the
    /// last one.
    async fn batch(
        &self,
        tx: &mut Tx,
        of: &Directory<'_>,
        after: &str,
        limit: i64,
    ) -> Result<(Vec<ResourceRow>, Option<String>)> {
        let narrow = self.narrow.as_ref();
        let mut rows = tx.resources_after(self.resource, of.workspace, narrow, after, limit).await?;
        let last = rows.last().filter(|_| rows.len() as i64 == limit).map(|row| row.id.clone());
        if let Some(matcher) = &self.matcher {
            let around = if self.around { Around::of(tx, self.resource, &rows).await? } else { Around::default() };
            let is_wanted =
                |row: &ResourceRow| matcher.fits(&[&row.attributes.0, &around.of_host(of, self.resource, row)]);
            rows = chosen(rows, self.comparisons, is_wanted).await;
        }
        Ok((rows, last))
    }
}

/// A page by the number of its first resource.
async fn numbered(tx: &mut Tx, of: &Directory<'_>, asked: &[Asked], view: &View, query: &ListQuery) -> Result<Value> {
    let (skip, most) = (query.skip(), query.count());
    let (mut total, mut found) = (0, Vec::new());
    for one in asked {
        let left = most - found.len() as i64;
        let before = (skip - total).max(0);
        let (count, rows) = if one.matcher.is_none() {
            let count = tx.count_resources(one.resource, of.workspace).await?;
            let wanted = left > 0 && before < count;
            let rows =
                if wanted { tx.resources_at(one.resource, of.workspace, before, left).await? } else { Vec::new() };
            (count, rows)
        } else {
            counted(tx, of, one, before, left).await?
        };
        total += count;
        found.extend(shown::all(tx, of, one.resource, rows, view).await?.into_iter().map(Value::Object));
    }
    Ok(message::list(found, Some(total), Some(skip), None))
}

/// How many resources satisfy the filter, and those of them that are on the page.
async fn counted(
    tx: &mut Tx,
    of: &Directory<'_>,
    asked: &Asked,
    skip: i64,
    most: i64,
) -> Result<(i64, Vec<ResourceRow>)> {
    let (mut count, mut page, mut after) = (0, Vec::new(), String::new());
    loop {
        let (rows, last) = asked.batch(tx, of, &after, BATCH).await?;
        for row in rows {
            if count >= skip && (page.len() as i64) < most {
                page.push(row);
            }
            count += 1;
        }
        match last {
            Some(last) => after = last,
            None => return Ok((count, page)),
        }
    }
}

/// A page after a cursor (RFC 9865), which is the id of the last resource before. Ids of Groups are before those of Users,
/// by their prefix; so types are asked in this order.
async fn after(
    tx: &mut Tx,
    of: &Directory<'_>,
    asked: &[Asked],
    view: &View,
    cursor: &str,
    most: i64,
) -> Result<Value> {
    let mut asked: Vec<_> = asked.iter().collect();
    asked.sort_by_key(|one| std::cmp::Reverse(one.resource));
    let (mut found, mut left) = (Vec::new(), most);
    for one in asked {
        let mut after = cursor.to_owned();
        while left > 0 {
            let (mut rows, last) = one.batch(tx, of, &after, BATCH.max(left)).await?;
            let is_full = rows.len() as i64 > left;
            rows.truncate(usize::try_from(left).unwrap_or(0));
            left -= rows.len() as i64;
            let end = rows.last().map(|row| row.id.clone());
            found.extend(shown::all(tx, of, one.resource, rows, view).await?.into_iter().map(Value::Object));
            match (left, end, last) {
                (0, Some(end), last) if is_full || last.is_some() || one.resource == Resource::Group => {
                    return Ok(message::list(found, None, None, Some(end)));
                }
                (_, _, Some(last)) => after = last,
                (_, _, None) => break,
            }
        }
    }
    Ok(message::list(found, None, None, None))
}
