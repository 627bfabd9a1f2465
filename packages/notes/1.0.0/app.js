export default {
  data: { notes: [] },
}
