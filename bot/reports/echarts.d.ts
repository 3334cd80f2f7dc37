/** The bundle is what the package is, in one file; its types are the package's. */
declare module 'echarts/dist/echarts.esm.min' {
  export * from 'echarts';
}
